"""Figures of impaired cables, from what the probe tells."""

from scenarios.lines.bench import Figure, read
from scenarios.lines.cables import CABLES, cables


def test_figures_stand_beside_what_was_asked() -> None:
    told = {"cable": "leaky", "sent": 200, "received": 180, "median_ms": 50.1, "p99_ms": 50.9}
    (figure,) = read({"rate": 999.5, "overflowed": 3, "cables": [told]})
    assert figure == Figure(
        rate=999.5,
        cable="leaky",
        sent=200,
        delay_ms=50,
        jitter_ms=0.0,
        median_ms=50.1,
        p99_ms=50.9,
        loss=0.1,
        lost=0.1,
        overflowed=3,
    )


def test_every_cable_lies_between_two_hosts_of_its_own() -> None:
    network = cables(CABLES)
    for name, asked in CABLES.items():
        ends = [host.name for host, _ in network.attached(name)]
        assert ends == [f"{name}_l", f"{name}_r"]
        for impairment in network.link(name).impairments:
            assert impairment.model_dump(exclude={"sender"}, exclude_defaults=True) == asked
