"""What a run folder holds, and the result that is read out of it.

A run folder is complete only when its seal is there; the seal is written last
and lists every file with its length and digest::

    ca.pem             certificate of the run's authority
    run.json           Run: what was built, asked for and expected (written first)
    captures/TAP.pcapng one capture a tap, with nanoseconds
    keys/AGENT.tls     NSS key log of the agent's TLS connections
    keys/AGENT.dtls    NSS key log of the agent's DTLS handshakes
    keys/service.json  ServiceKeys: what tokens are checked with, and the access key
    keys/AGENT.srtp    SRTP keys that the agent negotiated, one JSON object a line
    events/NAME.jsonl  what the process said of itself; claims, never proof
    logs/NAME.log      standard error of each process
    ending.json        Ending: drop counters, exit codes, durations
    seal.json          Seal (written last: the run is complete)
    result.json        Result, as judged right after the run
    evidence.pcapng    all captures in one, with comments and keys (results/handover/)
    report.html        the same for people; may be made anew (results/report)
"""

import json
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import Field, ValidationError

from controllers.policy import Policy
from results.measured import Hop, Interruption, LineCount, Quality
from results.outages import Death, Outage
from results.record import Record
from results.seal import Seal, difference, sealed_file
from topologies.spec import Flow, Name, Network

#: What the documents do not support (call-flow-topologies, "Unsupported technologies").
MEDIA_OVER_VPN = "media over VPN"
PACKET_SHAPER = "packet shaper"
PACKET_INSPECTION = "packet inspection"

#: A name was resolved where the tunnel ends, so its answer is the edge nearest to there, while
#: what goes to that edge goes around the tunnel.
FAR_EDGE = "far edge: DNS over VPN"

#: What is made of a run once it has been judged: one capture of all, and a page to look at.
EVIDENCE = "evidence.pcapng"
REPORT = "report.html"


class RunFolderError(Exception):
    """A run folder that cannot be read: missing, foreign, or not whole. Speaks to a person."""


#: Versions of IP, as results name them.
IpVersion = Literal["IPv4", "IPv6"]


class Verdict(StrEnum):
    """Nothing observed is never a PASS (DESIGN.md, "What counts as proof")."""

    PASS = "PASS"
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"


class StreamKind(StrEnum):
    """What a stream of media is there for."""

    AUDIO = "audio"
    CAMERA = "camera"
    SCREEN = "screen"
    #: Video of which its description tells no more.
    VIDEO = "video"


class PlannedCall(Record):
    """A call that the run was asked to make; ``seconds`` of media each way at least."""

    id: str
    caller: Name
    callee: Name
    seconds: float = Field(gt=0)
    #: The callee answers only when it has sent a check on every pair.
    callee_checks_first: bool = False
    #: Chat messages while media flows: the caller says the first, then each in turn.
    chat: tuple[str, ...] = ()
    #: Both use relayed candidates only, whatever their networks would allow.
    relay_only: bool = False
    #: What each end sends.
    streams: tuple[StreamKind, ...] = (StreamKind.AUDIO,)
    #: A third party's relay, which the caller uses in place of the service's.
    third_party_relay: Name | None = None
    #: The error code with which the service must refuse the invite; None: it must not.
    refused: str | None = None

    def said_by(self, user: str) -> tuple[str, ...]:
        """What a user says in the chat."""
        return {self.caller: self.chat[::2], self.callee: self.chat[1::2]}.get(user, ())

    def said_to(self, user: str) -> tuple[str, ...]:
        """What a user hears in the chat."""
        return {self.callee: self.chat[::2], self.caller: self.chat[1::2]}.get(user, ())


class Connection(Record):
    """A VPN that a user connects during a run, once a call has had so much media."""

    vpn: str
    host: Name
    call: str
    #: Whole seconds of media that the call's caller has received by then.
    after_seconds: int = Field(gt=0)


#: What carries media between a client and the other, or its relay, where that is farthest from
#: plain UDP: TCP or TLS to the relay, or TLS through an HTTP proxy.
Transport = Literal["udp", "tcp", "tls", "proxy"]


class Expectation(Record):
    """Exact sets: one flow more is as wrong as one flow less."""

    signalling: frozenset[Flow]
    media: frozenset[Flow]
    unsupported: str | None = None
    #: Users whose TURN allocations carry the media; empty for direct media, None where any may.
    allocated_by: frozenset[str] | None = None
    #: What carries the media of every call; None where anything may.
    transport: Transport | None = None
    #: The user whose first check a NAT router must drop before the peer's opens the way.
    refused_first: str | None = None
    #: Users whose relay is not the nearest to them, because of FAR_EDGE.
    far_edge: frozenset[str] = frozenset()
    #: User -> the router by which all that the user opens must leave the customer network.
    exits: dict[str, str] = Field(default_factory=dict)
    #: The versions of IP that carry the media, None where any may.
    ip: frozenset[IpVersion] | None = None


class Run(Record):
    """What was built and asked for: everything that is known before the first packet."""

    schema_: Literal[1] = Field(default=1, alias="schema")
    run: str
    scenario: str
    created: datetime
    network: Network
    calls: tuple[PlannedCall, ...]
    expect: Expectation
    #: VPN users connect before the first call, unless it is said here.
    connections: tuple[Connection, ...] = ()
    #: The relay that users ask for: that which the resolver tells them, or the first there is.
    route_type: Literal["nearest", "any"] = "nearest"
    deaths: tuple[Death, ...] = ()
    #: How long the relay's credentials of users are good, in seconds; None as usual.
    relay_ttl: int | None = None
    #: Whether users bear tokens; in runs of earlier versions they did not.
    tokens: bool = False
    #: Firewall -> the policy that it enforces; one without is a plain cable.
    policies: dict[str, Policy] = Field(default_factory=dict)
    #: The interpreter of the firewalls' controller, where it is not Callpath's own.
    controller_python: str | None = None
    #: Name of a tool or library -> its version.
    versions: dict[str, str]
    #: Facility -> what is used of it on this kernel, for instance "user namespace": "yes".
    facilities: dict[str, str]


class TapCount(Record):
    """What the capture program reported at its end, in packets, and what its interface lost."""

    received: int
    dropped: int
    #: Packets that the kernel dropped at the interface, in or out, while the capture ran
    #: (/proc/net/dev). Runs of earlier versions do not tell.
    lost: int = 0


class Ending(Record):
    """What only the end of a run can tell."""

    taps: dict[str, TapCount]
    #: Firewall -> rule -> packets that it counted (an allowing rule: connections).
    firewalls: dict[str, dict[str, int]] = Field(default_factory=dict)
    #: NAT router -> rule -> packets that it counted.
    nats: dict[str, dict[str, int]] = Field(default_factory=dict)
    #: Impaired cable -> sender -> what became of its frames.
    lines: dict[str, dict[str, LineCount]] = Field(default_factory=dict)
    outages: tuple[Outage, ...] = ()
    #: Process -> exit code.
    exits: dict[str, int]
    #: Duration of "boot" and "call" in seconds.
    seconds: dict[str, float]


class Endpoint(Record):
    """One end of a selected pair; ``type`` is RFC 8445's host, srflx, prflx or relay."""

    type: Literal["host", "srflx", "prflx", "relay"]
    address: str
    port: int
    protocol: Literal["udp", "tcp", "tls"]


class Selected(Record):
    """The pair that the nominated check selected, as one participant sees it."""

    local: Endpoint
    remote: Endpoint


class Claim(Record):
    """What an agent says it selected; compared with the captures, never used as proof.

    Agents write it as an event line ``{"event": "selected", "call": …, …}``.
    ``local`` is the socket that it sends from (the base of a reflexive candidate).
    """

    call: str
    local: Endpoint
    remote: Endpoint


class Step(Record):
    """One of the eight steps of a one-to-one call, at the frame where it was complete."""

    step: int
    name: str
    flows: tuple[Flow, ...]
    tap: str
    frame: int
    #: Seconds since the run's first frame.
    time: float


class MediaPath(Record):
    """The path of one direction of a call's media."""

    from_: str = Field(alias="from")
    to: str
    flows: tuple[Flow | Literal["unlisted"], ...]
    transport: Transport
    relayed_by: str | None
    taps: tuple[str, ...]
    packets: int
    authenticated: int
    #: What the sender's description says of it; None where that does not declare its SSRC.
    #: Results of earlier versions have neither, and one path for all streams of a direction.
    stream: StreamKind | None = None
    #: The synchronization source (RFC 3550, section 3), and of a retransmission (RFC 4588) the
    #: one that it repeats.
    ssrc: int | None = None
    repeats: int | None = None
    #: Users whose TURN allocations the media passed, in the order of the way; none if direct.
    allocated_by: tuple[str, ...] = ()
    #: The versions of IP on the way, in its order: two where a NAT64 or a relay changes it.
    #: Results of earlier versions do not tell.
    ip: tuple[IpVersion, ...] = ()
    #: From tap to tap. Results of earlier versions have neither.
    hops: tuple[Hop, ...] = ()
    quality: Quality | None = None


class Outcome(StrEnum):
    """What became of a candidate pair that was not selected."""

    NOT_ATTEMPTED = "not attempted"
    REFUSED = "refused"
    NO_ROUTE = "no route"
    WORKED = "worked, not preferred"
    #: The captures cannot tell.
    UNKNOWN = "unknown"


class PairOutcome(Record):
    """A pair that was not selected, as its sender has it; ``local`` is a host or relayed candidate.

    A reflexive candidate is represented by its base (RFC 8445, section 6.1.2.4).
    """

    from_: str = Field(alias="from")
    to: str
    local: Endpoint
    remote: Endpoint
    outcome: Outcome
    #: The firewall, router or relay that refused it or had no route.
    by: str | None = None
    #: The rule by its name in a policy or NAT router; the relay's error code.
    rule: str | None = None
    because: str
    #: The frame that shows it; None where no check was seen.
    tap: str | None = None
    frame: int | None = None


class Refused(Record):
    """The service's answer to an invite that it refused, and the frame that ends it."""

    status: int
    code: str
    message: str
    tap: str
    frame: int
    #: The third party's relay that the caller had used, and how many packets were seen there,
    #: but for canaries and ARP.
    relay: str | None = None
    relay_packets: int | None = None


class Nearness(Record):
    """How far a user is from the server that was chosen for a call, and from the others."""

    user: str
    role: Literal["front end", "relay"]
    server: str
    region: str
    #: Server of any region -> the shortest round trip to it that was measured, in ms.
    round_trip_ms: dict[str, float]
    #: Who told the user the server's name, and the VPN whose tunnel the question went through.
    asked: str | None = None
    through: str | None = None

    @property
    def nearest(self) -> str:
        """The server with the shortest round trip; KeyError when the chosen one has none."""
        trips = self.round_trip_ms
        return min(trips, key=lambda server: (trips[server], server != self.server))

    @property
    def is_nearest(self) -> bool:
        """Whether no other server has a shorter round trip."""
        return self.nearest == self.server


class Restart(Record):
    """ICE that was restarted in mid-call: who offered that, where, and what it selected."""

    offered_by: str
    tap: str
    frame: int
    #: Seconds since the run's first frame.
    time: float
    selected: dict[str, Selected]


class CallResult(Record):
    """What the captures show of one call."""

    participants: tuple[str, ...]
    steps: tuple[Step, ...]
    media: tuple[MediaPath, ...]
    selected: dict[str, Selected]
    #: Every pair but the selected one, in both directions.
    pairs: tuple[PairOutcome, ...] = ()
    #: Where the call did not come about because the service did not want it.
    refused: Refused | None = None
    #: The front ends and relays of both, where the service has several regions.
    nearness: tuple[Nearness, ...] = ()
    restarts: tuple[Restart, ...] = ()
    #: Whenever no media came for more than a second, and came again.
    interruptions: tuple[Interruption, ...] = ()
    #: Who gave the call up, and why, by what each says: a claim.
    lost: dict[str, str] = Field(default_factory=dict)


class Citation(Record):
    """A frame that a person can open: capture file (relative to the run folder) and number."""

    tap: str
    file: str
    frame: int
    what: str


class Seconds(Record):
    """Durations of a run's phases in seconds; None where the phase was never reached."""

    boot: float | None = None
    call: float | None = None
    judge: float | None = None
    total: float | None = None


class Result(Record):
    """The verdict on one run, with its reason and citations."""

    schema_: Literal[1] = Field(default=1, alias="schema")
    scenario: str
    verdict: Verdict
    reason: str
    signalling_flows: tuple[Flow | Literal["unlisted"], ...]
    media_flows: tuple[Flow | Literal["unlisted"], ...]
    unsupported: str | None = None
    calls: tuple[CallResult, ...]
    citations: tuple[Citation, ...]
    run: str
    seconds: Seconds

    def to_json(self) -> str:
        """The result as one line of JSON."""
        return self.model_dump_json(by_alias=True)


R = TypeVar("R", bound=Record)


class RunFolder:
    """Reading and writing of one run's files by their meaning."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def create(self, run: Run) -> None:
        """Lay out a new folder. It is incomplete until :meth:`seal`."""
        for part in ("captures", "keys", "events", "logs"):
            (self.path / part).mkdir(parents=True)
        self._write("run.json", run)

    def read_run(self) -> Run:
        """What was built and asked for; RunFolderError when the folder is not ours."""
        if not self.path.is_dir():
            raise RunFolderError(f"{self.path} is not a folder; a run folder holds a run.json")
        return self._read("run.json", Run)

    def write_ending(self, ending: Ending) -> None:
        """Store drop counters, exit codes and durations."""
        self._write("ending.json", ending)

    def read_ending(self) -> Ending:
        """Drop counters, exit codes and durations; RunFolderError when missing."""
        return self._read("ending.json", Ending)

    def write_result(self, result: Result) -> None:
        """Store the verdict. FileExistsError if there is one: it is never rewritten."""
        with (self.path / "result.json").open("x", encoding="utf-8") as file:
            file.write(result.to_json() + "\n")

    def read_result(self) -> Result | None:
        """The verdict given right after the run, if there was one."""
        if not (self.path / "result.json").exists():
            return None
        return self._read("result.json", Result)

    def capture(self, tap: str) -> Path:
        """The capture file of a tap."""
        return self.path / "captures" / f"{tap}.pcapng"

    def keys(self, agent: str, kind: Literal["tls", "dtls", "srtp"]) -> Path:
        """The key log of an agent."""
        return self.path / "keys" / f"{agent}.{kind}"

    @property
    def authority(self) -> Path:
        """The certificate of the run's own authority."""
        return self.path / "ca.pem"

    @property
    def service_keys(self) -> Path:
        """The service's own keys."""
        return self.path / "keys" / "service.json"

    def events(self, name: str) -> Path:
        """The event log of a process."""
        return self.path / "events" / f"{name}.jsonl"

    def log(self, name: str) -> Path:
        """Standard error of a process."""
        return self.path / "logs" / f"{name}.log"

    def read_claims(self, agent: str) -> Iterator[Claim]:
        """The agent's claims, in order; none when it left no event log."""
        if not self.events(agent).exists():
            return
        for line in self.events(agent).read_text(encoding="utf-8").splitlines():
            event = json.loads(line)
            if event["event"] == "selected":
                yield Claim.model_validate({key: event[key] for key in ("call", "local", "remote")})

    def read_lost(self, agent: str) -> Iterator[tuple[str, str]]:
        """Calls that the agent gave up, and why; none when it left no event log."""
        if not self.events(agent).exists():
            return
        for line in self.events(agent).read_text(encoding="utf-8").splitlines():
            event = json.loads(line)
            if event["event"] == "lost":
                yield str(event["call"]), str(event["because"])

    def seal(self) -> None:
        """Mark the folder complete: the last act of a run, atomic."""
        seal = Seal(files={name: sealed_file(self.path / name) for name in self._sealable()})
        draft = self.path / "seal.json.new"
        draft.write_text(seal.model_dump_json(indent=1) + "\n", encoding="utf-8")
        draft.replace(self.path / "seal.json")

    def why_incomplete(self) -> str | None:
        """What keeps the folder from being whole, or None when it is as it was sealed."""
        if not (self.path / "seal.json").exists():
            return "the run was interrupted: it has no seal.json"
        sealed = self._read("seal.json", Seal).files
        for name, expected in sealed.items():
            problem = difference(self.path / name, expected)
            if problem:
                return f"{name} {problem}"
        return None

    def _sealable(self) -> list[str]:
        own = {"seal.json", "seal.json.new", "result.json", EVIDENCE, REPORT}
        files = (path for path in self.path.rglob("*") if path.is_file())
        return sorted(
            name for path in files if (name := str(path.relative_to(self.path))) not in own
        )

    def _write(self, name: str, record: Record) -> None:
        text = record.model_dump_json(by_alias=True, indent=1)
        (self.path / name).write_text(text + "\n", encoding="utf-8")

    def _read(self, name: str, kind: type[R]) -> R:
        path = self.path / name
        try:
            return kind.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            raise RunFolderError(f"{self.path} has no {name}; is it a run folder?") from None
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise RunFolderError(f"{path}: {where}: {first['msg']}") from None
