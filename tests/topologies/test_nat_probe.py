"""What turnutils_natdiscovery prints is read for what it says, recorded from coturn 4.6.1."""

from ipaddress import IPv4Address

import pytest

from topologies.nat_probe import Behaviour, Dependence, ProbeError, command, difference, read
from topologies.spec import Nat

_PORT_RESTRICTED = """

-= Mapping Behavior Discovery =-

========================================
RFC 5780 response 1
No ALG: Mapped == XOR-Mapped
0: : IPv4. Response origin: : 198.51.100.54:3478
0: : IPv4. Response origin: : 198.51.100.54:3478
0: : IPv4. Other addr: : 198.51.100.55:3479
0: : IPv4. UDP reflexive addr: 198.51.100.2:1028
0: : IPv4. Local addr: : 10.10.0.11:58549

========================================
RFC 5780 response 2
No ALG: Mapped == XOR-Mapped
0: : IPv4. Response origin: : 198.51.100.55:3478
0: : IPv4. Other addr: : 198.51.100.55:3479
0: : IPv4. UDP reflexive addr: 198.51.100.2:1028
0: : IPv4. Local addr: : 10.10.0.11:58549

========================================
NAT with Endpoint Independent Mapping!
========================================

-= Filtering Behavior Discovery =-

========================================
RFC 5780 response 3
No ALG: Mapped == XOR-Mapped
0: : IPv4. Response origin: : 198.51.100.54:3478
0: : IPv4. Other addr: : 198.51.100.55:3479
0: : IPv4. UDP reflexive addr: 198.51.100.2:1540
0: : IPv4. Local addr: : 10.10.0.11:37612
STUN receive timeout..
STUN receive timeout..

========================================
NAT with Address and Port Dependent Filtering!
========================================
"""

_NO_NAT = """
-= Mapping Behavior Discovery =-

========================================
RFC 5780 response 1
No ALG: Mapped == XOR-Mapped
0: : IPv4. Response origin: : 198.51.100.54:3478
0: : IPv4. Other addr: : 198.51.100.55:3479
0: : IPv4. UDP reflexive addr: 198.51.100.53:51148
0: : IPv4. Local addr: : 198.51.100.53:51148

========================================
No NAT! (Endpoint Independent Mapping)
========================================

========================================
NAT with Endpoint Independent Mapping!
========================================

-= Filtering Behavior Discovery =-

========================================
NAT with Endpoint Independent Filtering!
========================================
"""

_NO_ANSWER = """
-= Mapping Behavior Discovery =-
STUN receive timeout..

-= Filtering Behavior Discovery =-
STUN receive timeout..
"""

_ONE_ADDRESS_ONLY = """
-= Mapping Behavior Discovery =-
0: : IPv4. UDP reflexive addr: 198.51.100.2:2308
0: : IPv4. Local addr: : 10.10.0.11:33582

-= Filtering Behavior Discovery =-
0: : IPv4. UDP reflexive addr: 198.51.100.2:2564
0: : IPv4. Local addr: : 10.10.0.11:48228
"""

_ENDPOINT, _ADDRESS, _BOTH = Dependence


def _decided(mapping: str, filtering: str) -> str:
    """The decisions as the tool prints them."""
    return f"\nNAT with {mapping} Mapping!\n=====\n\nNAT with {filtering} Filtering!\n=====\n"


def test_a_recorded_measurement_is_read() -> None:
    assert read(_PORT_RESTRICTED) == Behaviour(mapping=_ENDPOINT, filtering=_BOTH)


@pytest.mark.parametrize(
    ("mapping", "filtering", "behaviour"),
    [
        ("Endpoint Independent", "Endpoint Independent", Behaviour(_ENDPOINT, _ENDPOINT)),
        ("Endpoint Independent", "Address Dependent", Behaviour(_ENDPOINT, _ADDRESS)),
        ("Address Dependent", "Address and Port Dependent", Behaviour(_ADDRESS, _BOTH)),
        ("Address and Port Dependent", "Address and Port Dependent", Behaviour(_BOTH, _BOTH)),
    ],
)
def test_each_decision_is_read(mapping: str, filtering: str, behaviour: Behaviour) -> None:
    assert read(_decided(mapping, filtering)) == behaviour


@pytest.mark.parametrize(
    ("output", "complaint"),
    [
        (_NO_NAT, "there is no NAT between the host and the STUN server"),
        (_NO_ANSWER, "the probe told no mapping behaviour; it said last: STUN receive timeout.."),
        (
            _ONE_ADDRESS_ONLY,
            "the probe told no mapping behaviour; it said last: "
            "0: : IPv4. Local addr: : 10.10.0.11:48228",
        ),
        (
            _PORT_RESTRICTED.partition("-= Filtering")[0],
            "the probe told no filtering behaviour; it said last: " + "=" * 40,
        ),
        ("", "the probe told no mapping behaviour; it said last: nothing"),
    ],
    ids=["no NAT", "no answer", "one address only", "mapping only", "nothing"],
)
def test_no_result_is_an_error(output: str, complaint: str) -> None:
    with pytest.raises(ProbeError) as error:
        read(output)
    assert str(error.value) == complaint


def test_what_is_declared_and_measured_is_no_difference() -> None:
    assert difference(Nat.ENDPOINT_INDEPENDENT, Behaviour(_ENDPOINT, _BOTH)) is None
    assert difference(Nat.SYMMETRIC, Behaviour(_BOTH, _BOTH)) is None


@pytest.mark.parametrize("declared", Nat)
@pytest.mark.parametrize("filtering", [_ENDPOINT, _ADDRESS])
@pytest.mark.parametrize("mapping", Dependence)
def test_a_wider_filter_is_a_difference(
    declared: Nat, mapping: Dependence, filtering: Dependence
) -> None:
    assert difference(declared, Behaviour(mapping, filtering)) is not None


def test_a_difference_names_both() -> None:
    assert difference(Nat.SYMMETRIC, Behaviour(_ENDPOINT, _BOTH)) == (
        "declared address-and-port-dependent mapping and address-and-port-dependent filtering, "
        "measured endpoint-independent mapping and address-and-port-dependent filtering"
    )


def test_the_tool_is_told_the_hosts_own_address() -> None:
    argv = command(IPv4Address("10.10.0.11"), IPv4Address("198.51.100.54"))
    assert argv == ("turnutils_natdiscovery", "-m", "-f", "-L", "10.10.0.11", "198.51.100.54")
