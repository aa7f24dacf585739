"""What kind of NAT a host is behind, measured by coturn's turnutils_natdiscovery.

The tool implements RFC 5780 (sections 4.3 and 4.4) and asks a STUN server that
has two addresses with two ports each. Running it is the caller's affair; this
module says how, and reads what it prints.
"""

from dataclasses import dataclass
from enum import StrEnum

from topologies.spec import Address, Nat


class ProbeError(Exception):
    """The tool's output tells no NAT's behaviour. Speaks to a person."""


class Dependence(StrEnum):
    """What of a peer matters to the NAT (RFC 4787 sections 4.1 and 5)."""

    ENDPOINT_INDEPENDENT = "endpoint-independent"
    ADDRESS = "address-dependent"
    ADDRESS_AND_PORT = "address-and-port-dependent"


@dataclass(frozen=True)
class Behaviour:
    """How a NAT treats UDP; a host that is behind none has no behaviour."""

    mapping: Dependence
    filtering: Dependence

    def __str__(self) -> str:
        return f"{self.mapping} mapping and {self.filtering} filtering"


_DECLARED = {
    Nat.ENDPOINT_INDEPENDENT: Behaviour(
        Dependence.ENDPOINT_INDEPENDENT, Dependence.ADDRESS_AND_PORT
    ),
    Nat.SYMMETRIC: Behaviour(Dependence.ADDRESS_AND_PORT, Dependence.ADDRESS_AND_PORT),
}

#: The tool's words for each dependence.
_WORDS = {
    "Endpoint Independent": Dependence.ENDPOINT_INDEPENDENT,
    "Address Dependent": Dependence.ADDRESS,
    "Address and Port Dependent": Dependence.ADDRESS_AND_PORT,
}


def command(local: Address, server: Address) -> tuple[str, ...]:
    """What to run on the host that has the address ``local``; takes up to 9 s.

    With its own address given, the tool notices when there is no NAT at all.
    """
    return ("turnutils_natdiscovery", "-m", "-f", "-L", str(local), str(server))


def read(output: str) -> Behaviour:
    """The behaviour of the NAT; ProbeError when there is none, or no result."""
    if "No NAT!" in output:
        raise ProbeError("there is no NAT between the host and the STUN server")
    return Behaviour(mapping=_found(output, "Mapping"), filtering=_found(output, "Filtering"))


def difference(declared: Nat, measured: Behaviour) -> str | None:
    """In what the NAT is not what it is declared to be; None when it is."""
    wanted = _DECLARED[declared]
    if wanted == measured:
        return None
    return f"declared {wanted}, measured {measured}"


def _found(output: str, what: str) -> Dependence:
    found = {_WORDS[words] for words in _WORDS if f"NAT with {words} {what}!" in output}
    if len(found) != 1:
        last = output.strip().splitlines()[-1:] or ["nothing"]
        raise ProbeError(f"the probe told no {what.lower()} behaviour; it said last: {last[0]}")
    return found.pop()
