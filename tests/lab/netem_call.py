"""A call over a slow and lossy cable, for a kernel that has netem and no NAT."""

from scenarios.scenario import Call, Scenario
from topologies.parts import impaired, static_route
from topologies.reference import office
from topologies.spec import Flow, Network, Role


def routed() -> Network:
    """The office without NAT: its router is as any other, and the internet knows the way back."""
    network = office()
    router = network.host("office_nat").model_copy(update={"role": Role.ROUTER})
    inet = network.host("inet")
    known = (*inet.routes, static_route("10.0.0.0/8", "198.51.100.2"))
    changed = {router.name: router, inet.name: inet.model_copy(update={"routes": known})}
    hosts = tuple(changed.get(host.name, host) for host in network.hosts)
    return Network(name="routed", links=network.links, hosts=hosts)


scenario = Scenario(
    name="netem_call",
    title="Head office and branch, over a slow and lossy line",
    network=impaired(routed(), "wan", delay_ms=20, jitter_ms=2, loss=0.04),
    calls=(Call("alice", "bea", seconds=4),),
    expect_signalling=frozenset({Flow.F2, Flow.F4}),
    expect_media=frozenset({Flow.F5}),
)
