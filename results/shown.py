"""What the captures of a run show, and by which frames."""

from dataclasses import dataclass

from results.impaired import Crossed
from results.problems import Problem
from results.schema import MEDIA_OVER_VPN, CallResult, Citation
from results.setup.calls import Call
from results.setup.restarts import Restarted
from results.setup.selection import Selection
from results.tracing.legs import NamedFlow
from results.tunnelling.vpn import Remark
from results.unsupported import Case
from topologies.spec import Flow


@dataclass(frozen=True)
class CallEvidence:
    """What the captures show of one call."""

    call: Call
    result: CallResult
    selection: Selection
    media_flows: tuple[NamedFlow, ...]
    problems: tuple[Problem, ...]
    citations: tuple[Citation, ...]
    restarts: tuple[Restarted, ...] = ()


@dataclass(frozen=True)
class Shown:
    """A flow, what opened it, and the frame that shows it."""

    flow: NamedFlow
    what: str
    citation: Citation
    #: The hosts on its way, from the one that opened it.
    hosts: tuple[str, ...] = ()
    #: Nothing was said over it: a handshake that only measures a round trip.
    measures: bool = False


@dataclass(frozen=True)
class Evidence:
    """All that the captures of a run show."""

    signalling: tuple[Shown, ...]
    media: tuple[Shown, ...]
    calls: tuple[CallEvidence, ...]
    problems: tuple[Problem, ...]
    #: What else a PASS tells.
    remarks: tuple[Remark, ...] = ()
    #: What took impaired hops.
    crossed: tuple[Crossed, ...] = ()
    #: Cases beside media in a tunnel that are not supported.
    others: tuple[Case, ...] = ()
    #: Users who refused a certificate that is not the service's, and so could not sign in.
    signed_out: frozenset[str] = frozenset()

    @property
    def in_tunnel(self) -> Shown | None:
        """Media that a VPN user sends to the gateway, which is not supported."""
        return next((item for item in self.media if item.flow is Flow.F2_VPN), None)

    @property
    def cases(self) -> tuple[Case, ...]:
        """All that the documents do not support."""
        tunnel = self.in_tunnel
        if tunnel is None:
            return self.others
        what = f"{tunnel.what}, in the tunnel"
        return (Case(MEDIA_OVER_VPN, what, tunnel.citation), *self.others)

    @property
    def unsupported(self) -> str | None:
        """What the documents call these cases, where they do not support them."""
        return ", ".join(dict.fromkeys(case.name for case in self.cases)) or None
