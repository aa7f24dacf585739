"""The network that is measured: cables side by side, each between two hosts of its own."""

from collections.abc import Iterable
from ipaddress import IPv4Network

from topologies.parts import attached_to, impaired, new_link
from topologies.spec import Host, Network, Role, Segment

#: Cable -> what is asked of it, both ways.
CABLES: dict[str, dict[str, float]] = {
    "even": {"delay_ms": 20},
    "jittery": {"delay_ms": 20, "jitter_ms": 5},
    "lossy": {"delay_ms": 20, "loss": 0.01},
    "long": {"delay_ms": 150},
    "leaky": {"delay_ms": 50, "loss": 0.1},
}


def cables(names: Iterable[str]) -> Network:
    """These cables, each with hosts ``NAME_l`` and ``NAME_r``."""
    prefixes = dict(zip(names, IPv4Network("10.0.0.0/24").subnets(new_prefix=30), strict=False))
    network = Network(
        name="cables",
        links=tuple(
            new_link(name, str(prefix), Segment.INTERNET) for name, prefix in prefixes.items()
        ),
        hosts=tuple(
            Host(
                name=f"{name}_{side}",
                role=Role.USER,
                segment=Segment.INTERNET,
                interfaces=attached_to(**{name: f"{prefix[number]}/30"}),
            )
            for name, prefix in prefixes.items()
            for number, side in ((1, "l"), (2, "r"))
        ),
    )
    for name in prefixes:
        network = impaired(network, name, **CABLES[name])  # type: ignore[arg-type]
    return network
