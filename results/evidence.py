"""From the packet table to evidence: flows, calls with their steps and media, and problems.

Nothing here looks at what agents say of themselves, only at captures, keys and what
the rules of firewalls and NAT routers counted.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from itertools import chain

from cryptography.x509 import Certificate

from results.absence import Canaries, canary_problems, find_canaries, late_taps
from results.counters import Counted, counter_problems, silent_rules
from results.fates import Fates
from results.holes import hello_problems, hole_problem
from results.impaired import crossings, impaired_findings
from results.interception import interceptions, last_times, taken_problems
from results.media import (
    Packet,
    Stream,
    astray,
    authenticated,
    losses,
    media_paths,
    openings,
    rtp_packets,
    strange,
    strangers_at,
    too_short,
    unlisted_legs,
)
from results.media_keys import MediaKey, Socket, dtls_handshakes, keys_of_call
from results.media_quality import with_quality
from results.outages import Outage
from results.packets import PacketTable
from results.problems import Ground, Problem, cite
from results.protocols.dtls import Handshake
from results.regions.backbone import backbone_findings
from results.regions.exits import Course, exit_findings
from results.regions.nearness import Edges, nearness_findings
from results.regions.passed_on import sharing_findings
from results.regions.round_trips import round_trips
from results.schema import CallResult, MediaPath, PlannedCall, Run
from results.setup.calls import Call, read_calls
from results.setup.candidates import candidate_problems
from results.setup.chat import chat_citations, chat_problems
from results.setup.checks import Check, checks_of, stun_messages
from results.setup.first_packet import Reversal, reversal
from results.setup.ice import Ice
from results.setup.interruptions import interruptions
from results.setup.pairs import pair_outcomes, pair_problems, unselected_pairs
from results.setup.refused import (
    gathered_sockets,
    refusal_of,
    refused_citations,
    refused_problems,
    refused_times,
)
from results.setup.restarts import (
    Restarted,
    before_restarts,
    credential_problems,
    restarted,
    since,
    sockets_of,
)
from results.setup.selection import Selection, off_the_pair, selection_of
from results.setup.service_keys import ServiceKeys
from results.setup.signalling import KeyLogs, Signalling, read_signalling
from results.setup.steps import (
    STEPS_TO_INVITE,
    Scene,
    citations_of,
    find_steps,
    step_problems,
    steps_of,
)
from results.setup.turn import Turn, read_turn
from results.shapers import Shapers, counted_remarks, shaped
from results.shown import CallEvidence, Evidence, Shown
from results.sources import Declared, by_source, declared_in, named, source_problems, ssrc_of
from results.tracing.inversion import inverted_cables
from results.tracing.legs import Conversations, NamedFlow, Opened, hosts_of, in_order, name_of
from results.tracing.onward import with_onward
from results.tracing.openings import (
    Connections,
    Opening,
    Query,
    connections,
    is_mute,
    queries,
    unlisted,
)
from results.tracing.passed import let_through
from results.tracing.paths import Hole, Path, Travels, follow_udp, summarise_holes
from results.tracing.places import Places, places_of
from results.tracing.sightings import Sighting
from results.tracing.streams import Streams, with_streams
from results.tracing.unreachable import unreachables
from results.tunnelling.vpn import Findings, Scenery, together
from results.tunnelling.vpn_findings import findings_of
from results.unsupported import Case
from topologies.spec import Role


class Reading:
    """The parts of the evidence, each read once from those before it.

    Key logs ``tls_keys`` are by user, ``dtls_keys`` of all users together; ``service``
    is None where users bear no tokens; ``authority`` signs the service's certificates.
    ``front_end_keys`` are needed of services of several regions only, by front end.
    """

    def __init__(
        self,
        table: PacketTable,
        run: Run,
        tls_keys: KeyLogs,
        dtls_keys: Mapping[bytes, bytes],
        counted: Counted,
        service: ServiceKeys | None = None,
        authority: Certificate | None = None,
        front_end_keys: KeyLogs | None = None,
        outages: tuple[Outage, ...] = (),
    ) -> None:
        self.outages = outages
        self.places: Places = places_of(run.network)
        self.streams: Streams = with_streams(table, self.places, tls_keys)
        self.table = table = self.streams.table
        self.run = run
        self.dtls_keys = dtls_keys
        self.front_end_keys = front_end_keys or {}
        self.counted = counted
        self.udp: Travels = follow_udp(table, self.places)
        self.tcp: Connections = with_onward(table, self.places, connections(table, self.places))
        self.queries: list[Query] = queries(table, self.places, self.udp)
        self.canaries: Canaries = find_canaries(table, run.run)
        self.late = late_taps(run)
        self.signalling: Signalling = read_signalling(table, self.places, tls_keys, service)
        self.intercepted = interceptions(table, self.places, tls_keys, authority, self.tcp.syns)
        self.conversations = Conversations(self.places, self.udp.paths)
        self.spoken = tuple(stun_messages(table, self.udp))
        self.handshakes: list[Handshake] = dtls_handshakes(table, self.udp)
        self.turn: Turn = read_turn(self.spoken)
        self.errors = unreachables(table, self.places)
        self.shapers = Shapers(self.places, run.network, self.udp.paths)
        self.fates = Fates(
            run.network,
            run.policies,
            self.turn,
            self.errors,
            self.places,
            counted,
            self.shapers,
            outages,
        )

    @cached_property
    def calls(self) -> list[Call]:
        """The calls between hosts of the network, in the order of the plan."""
        found = read_calls(self.signalling.messages)
        planned = [plan.id for plan in self.run.calls]
        return sorted(
            (call for call in found if set(call.participants) <= set(self.places.hosts)),
            key=lambda call: planned.index(call.id) if call.id in planned else len(planned),
        )

    def plan_of(self, call: Call) -> PlannedCall | None:
        """What was planned of a call; None where it was not."""
        return next((plan for plan in self.run.calls if plan.id == call.id), None)

    @cached_property
    def checks(self) -> dict[str, dict[str, list[Check]]]:
        """Call -> participant -> the checks it sent."""
        return {
            each.id: {
                user: checks_of(self.places, self.spoken, each, user) for user in each.participants
            }
            for call in self.calls
            for each in (call, *call.restarts)
        }

    def sockets(self, call: Call) -> set[Socket]:
        """The sockets from which a call's checks were sent, after restarts of ICE too."""
        checks = (self.checks[each.id] for each in (call, *call.restarts))
        return gathered_sockets(call).union(*map(sockets_of, checks))

    @cached_property
    def keys(self) -> tuple[list[MediaKey], list[Problem]]:
        """The media keys of all calls."""
        keys: list[MediaKey] = []
        problems: list[Problem] = []
        for call in (call for call in self.calls if not call.refused):
            found = self.handshakes
            own, wrong = keys_of_call(self.table, call, self.sockets(call), found, self.dtls_keys)
            keys += own
            problems += wrong
        return keys, problems

    @cached_property
    def media(self) -> tuple[list[Stream], list[Packet]]:
        """The streams of all calls, and what looks like media but is not theirs."""
        streams, rest = authenticated(rtp_packets(self.table, self.udp), self.keys[0])
        sockets = set[Socket]().union(*(self.sockets(call) for call in self.calls))
        return streams, strangers_at(self.places, rest, sockets)

    @cached_property
    def scene(self) -> Scene:
        """What steps are read from."""
        return Scene(
            table=self.table,
            conversations=self.conversations,
            spoken=self.spoken,
            queries=tuple(self.queries),
            connections=self.tcp.by_syn,
        )

    def evidence(self) -> Evidence:
        """All of it."""
        calls = tuple(self.call(call) for call in self.calls)
        crossed = crossings(self.places, self.datagrams, self.fates, self.canaries.end)
        impaired = impaired_findings(self.table, crossed)
        found = together((findings_of(self.scenery(calls)), self.of_regions(calls), impaired))
        return Evidence(
            signalling=tuple(self.shown_signalling()),
            media=tuple(self.shown_media()),
            calls=calls,
            problems=(
                *self.hole_problems(),
                *canary_problems(self.table, self.canaries, self.media_times(), self.late),
                *self.signalling.problems,
                *self.streams.problems,
                *self.counter_problems(),
                *self.interception_problems(),
                *self.unlisted_problems(),
                *self.stranger_problems(),
                *self.keys[1],
                *strange(self.table, self.media[1]),
                *(problem for call in calls for problem in call.problems),
                *found.problems,
            ),
            remarks=(*found.remarks, *counted_remarks(self.shapers, self.counted)),
            crossed=crossed,
            others=tuple(self.unsupported_cases()),
            signed_out=frozenset(one.user for one in self.intercepted if one.refusal),
        )

    def unsupported_cases(self) -> Iterator[Case]:
        """What the documents do not support, beside media in a tunnel."""
        for one in shaped(self.shapers, self.media[0]):
            if one.does_shape:
                yield one.case(self.table)
        for taken in self.intercepted:
            if taken.is_by_a_box:
                yield taken.case(self.table)

    def interception_problems(self) -> Iterator[Problem]:
        """Boxes and taps that tell otherwise of TLS that somebody else ended."""
        for taken in self.intercepted:
            yield from taken.problems(self.table)
        yield from taken_problems(self.table, self.run.network, self.counted)

    def of_regions(self, calls: Iterable[CallEvidence]) -> Findings:
        """Whether users were served by the nearest and left where they should; the backbone."""
        served = {call.call.id: call.result.nearness for call in calls}
        near = nearness_findings(self.edges, chain.from_iterable(served.values()))
        tcp, udp = self.tcp.openings, self.udp.paths
        kept = backbone_findings(self.table, self.places, tcp, udp)
        shared = sharing_findings(self.table, self.places, self.front_end_keys, served)
        return together((near, kept, shared, exit_findings(self.run, self.courses())))

    def courses(self) -> Iterator[Course]:
        """The hosts that all signalling and media passed."""
        for one in (*self.shown_signalling(), *self.shown_media()):
            yield Course(one.what, one.hosts, one.citation)

    @cached_property
    def edges(self) -> Edges:
        """What nearness is read from."""
        several = bool(self.places.regions)
        return Edges(
            table=self.table,
            run=self.run,
            places=self.places,
            tcp=self.tcp,
            turn=self.turn,
            queries=self.queries,
            trips=round_trips(self.table, self.places, self.tcp, self.spoken) if several else {},
        )

    def counter_problems(self) -> Iterator[Problem]:
        """Rules whose counters do not agree with what the captures show."""
        udp, syns = self.datagrams, self.tcp.syns
        shapers, end, sent = self.shapers.rules, self.canaries.end, (*udp, *syns)
        yield from counter_problems(self.run, self.counted, self.fates, sent, end, shapers)
        passed = let_through(self.run, self.places, self.table, udp, syns)
        yield from silent_rules(self.counted, passed)

    @cached_property
    def datagrams(self) -> tuple[Path, ...]:
        """The paths of what was sent over UDP."""
        from_stream = self.table.from_stream
        return tuple(path for path in self.udp.paths if not from_stream[path.first.row])

    def scenery(self, calls: Iterable[CallEvidence]) -> Scenery:
        """What is to be known for findings about VPNs."""
        return Scenery(
            table=self.table,
            places=self.places,
            run=self.run,
            udp=self.udp,
            canaries=self.canaries,
            conversations=self.conversations,
            openings=tuple(self.openings()),
            streams=self.media[0],
            calls={call.call.id: call.result for call in calls},
            counted=self.counted,
            outages=self.outages,
            turn=self.turn,
        )

    def media_times(self) -> tuple[int, int] | None:
        """When the first and the last media packet of the run were seen, in ns.

        Of a call that was refused, when media could have been: from gathering to its end.
        Where there is neither, what was signalled.
        """
        paths = [
            path for stream in self.media[0] for packet in stream.packets for path in packet.paths
        ]
        times = [(path.first.time, path.last.time) for path in paths]
        for call in self.calls:
            times += refused_times(self.table, call, self.spoken)
        if not times:
            return self.signalling_times()
        return min(first for first, _ in times), max(last for _, last in times)

    def signalling_times(self) -> tuple[int, int] | None:
        """The same of signalling, where there is no media."""
        opened = [opening.path for opening in self.openings()]
        times = [time for path in opened for time in (path.first.time, path.last.time)]
        times += last_times(self.intercepted, self.table)
        return (min(times), max(times)) if times else None

    def openings(self) -> Iterator[Opening]:
        """All that is signalling: DNS queries and TCP connections."""
        yield from (query.opening for query in self.queries)
        yield from self.tcp.openings

    def shown_signalling(self) -> Iterator[Shown]:
        """The flows of all signalling, each with the frame that opened it."""
        for opening in self.openings():
            mute = opening.path.target in self.places.regions and is_mute(self.table, opening)
            for flow, part in opening.legs:
                found = self.shown("signalling", flow, opening.what, part[0], hosts_of(part))
                yield replace(found, measures=mute)

    def opened_by(self, stream: Stream) -> list[Opened]:
        """Who opened the legs of a stream's paths."""
        return openings(stream.arrived, self.conversations)

    def shown_media(self) -> Iterator[Shown]:
        """The flows of all media, each with the frame that opened it."""
        for stream in self.media[0]:
            for opened in self.opened_by(stream):
                what = f"{opened.origin} opens the way to {opened.target}"
                flow = name_of(opened.flow)
                yield self.shown("media", flow, what, opened.shown_by, opened.hosts)

    def shown(
        self, kind: str, flow: NamedFlow, what: str, by: Sighting, hosts: tuple[str, ...]
    ) -> Shown:
        """A flow with the frame that shows it."""
        return Shown(flow, what, cite(self.table, by.row, f"{kind}, Flow {flow}: {what}"), hosts)

    def unlisted_problems(self) -> Iterator[Problem]:
        """What goes where the documents have no number."""
        for opening in self.openings():
            text = unlisted(opening)
            if text:
                frame = cite(self.table, opening.path.first.row, opening.what)
                yield Problem(Ground.FLOWS, text, (frame,))
        for stream in self.media[0]:
            for text in unlisted_legs(self.places, self.opened_by(stream)):
                yield Problem(Ground.FLOWS, text)

    def stranger_problems(self) -> Iterator[Problem]:
        """Signalling of users who take no part in the run's calls, whatever its flow."""
        invited = {user for plan in self.run.calls for user in (plan.caller, plan.callee)}
        for opening in self.openings():
            user = opening.path.origin
            if self.places.role(user) is Role.USER and user not in invited:
                frame = cite(self.table, opening.path.first.row, opening.what)
                where = f"frame {frame.frame} of {frame.tap}"
                text = f"unexpected signalling of {user}: {opening.what} ({where})"
                yield Problem(Ground.FLOWS, text, (frame,))

    def hole_problems(self) -> Iterator[Problem]:
        """Packets that one tap has and another should have, from canaries to canaries.

        Taps begin and end one after the other.
        """
        prompt = (t for tap, t in self.canaries.before.items() if tap not in self.late)
        begin = max(prompt, default=0)
        end = self.canaries.end
        holes = [
            hole
            for hole in (*self.udp.holes, *self.tcp.holes)
            if begin < hole.seen.time < end and self._is_readable(hole)
        ]
        for hole, count in summarise_holes(holes):
            yield hole_problem(self.table, hole, count)
        yield from inverted_cables(self.table, self.udp.paths)
        for opening in self.tcp.openings:
            yield from hello_problems(self.table, opening)

    def _is_readable(self, hole: Hole) -> bool:
        """Whether the tap that missed a packet was read at all; else that is said already."""
        return hole.missed is None or hole.missed in self.table.taps

    def refused_call(self, call: Call) -> CallEvidence:
        """A call that the service refused: three steps, and nothing may come after them."""
        plan = self.plan_of(call)
        steps = find_steps(self.scene, call, None, ())[:STEPS_TO_INVITE]
        own, shakes = self.checks[call.id], self.handshakes
        return CallEvidence(
            call=call,
            result=CallResult(
                participants=call.participants,
                steps=steps_of(self.scene, steps),
                media=(),
                selected={},
                refused=refusal_of(self.table, plan, call),
            ),
            selection=selection_of(self.table, call, own, None),
            media_flows=(),
            problems=(
                *candidate_problems(self.table, self.places, self.spoken, self.turn, call),
                *refused_problems(self.table, plan, call, self.turn, own, shakes),
                *step_problems(self.scene, call, steps),
            ),
            citations=(
                *citations_of(self.scene, call, steps),
                *refused_citations(self.table, call),
            ),
        )

    def call(self, call: Call) -> CallEvidence:
        """One call: its media, the pair it selected and the others, its steps."""
        if call.refused:
            return self.refused_call(call)
        streams = [stream for stream in self.media[0] if stream.key.call == call.id]
        streams.sort(key=lambda stream: call.participants.index(stream.key.sender))
        sent = [packet.time for stream in streams for packet in stream.packets]
        selection = selection_of(self.table, call, self.checks[call.id], min(sent, default=None))
        flows = in_order(name_of(item.flow) for s in streams for item in self.opened_by(s))
        steps = find_steps(self.scene, call, selection.nomination, flows)
        ice = self.ice(call, selection)
        pairs = unselected_pairs(ice)
        reversed_ = self.reversal(ice)
        restarts = tuple(self.restarts(call, streams))
        return CallEvidence(
            call=call,
            result=CallResult(
                participants=call.participants,
                steps=steps_of(self.scene, steps),
                media=tuple(path for s in streams for path in self.paths_of(call, s)),
                selected=dict(selection.selected),
                pairs=pair_outcomes(ice, pairs),
                nearness=self.edges.nearness(call),
                restarts=tuple(one.record(self.table) for one in restarts),
                interruptions=tuple(interruptions(self.table, streams)),
            ),
            selection=selection,
            media_flows=flows,
            restarts=restarts,
            problems=(
                *self.call_problems(call, streams, selection),
                *pair_problems(ice, pairs),
                *reversed_.problems(call),
                *step_problems(self.scene, call, steps),
                *(problem for one in restarts for problem in one.problems),
            ),
            citations=(
                *citations_of(self.scene, call, steps),
                *chat_citations(self.table, call),
                *reversed_.citations,
            ),
        )

    def restarts(self, call: Call, streams: list[Stream]) -> Iterator[Restarted]:
        """What the captures show of each restart of a call's ICE."""
        for restart in call.restarts:
            checks = self.checks[restart.id]
            media = [path for stream in streams for path in since(stream, checks)]
            candidates = self.candidate_problems(call, restart)
            found = restarted(self.table, self.places, restart, checks, media)
            yield replace(found, problems=(*candidates, *found.problems))

    def candidate_problems(self, call: Call, described: Call) -> Iterator[Problem]:
        """What is wrong with the candidates of a call, as it or a restart describes them."""
        planned = self.plan_of(call)
        yield from candidate_problems(
            self.table,
            self.places,
            self.spoken,
            self.turn,
            described,
            relay_only=planned is not None and planned.relay_only,
        )

    def ice(self, call: Call, selection: Selection) -> Ice:
        """What is known of a call's ICE."""
        return Ice(
            table=self.table,
            places=self.places,
            udp=self.udp.paths,
            turn=self.turn,
            fates=self.fates,
            call=call,
            checks=self.checks[call.id],
            selection=selection,
        )

    def reversal(self, ice: Ice) -> Reversal:
        """How a user's first packet was refused, where the run expects that."""
        user = self.run.expect.refused_first
        return reversal(ice, user) if user in ice.call.participants else Reversal()

    @cached_property
    def declared(self) -> dict[str, list[Declared]]:
        """Call -> the sources of media that its descriptions declare."""
        return {call.id: declared_in(call) for call in self.calls}

    def paths_of(self, call: Call, stream: Stream) -> Iterator[MediaPath]:
        """The distinct paths of each source of a stream, each with its quality."""
        for ssrc, part in by_source(stream, self.declared[call.id]).items():
            others = [packet for packet in self.media[1] if ssrc_of(packet) == ssrc]
            found = media_paths(part, others, self.conversations, self.turn, self.streams.carrier)
            measured = with_quality(self.table, part, found, call.clock_rates)
            yield from named(measured, ssrc, self.declared[call.id])

    def call_problems(
        self, call: Call, streams: list[Stream], selection: Selection
    ) -> Iterator[Problem]:
        """What is wrong with a call and its media."""
        planned = self.plan_of(call)
        yield from selection.problems
        yield from credential_problems(self.table, call)
        yield from self.candidate_problems(call, call)
        for stream in streams:
            yield from losses(self.table, stream, self.fates.is_explained)
            yield from astray(self.table, stream)
            first = before_restarts(stream, [self.checks[each.id] for each in call.restarts])
            yield from off_the_pair(self.table, self.places, call, selection, first)
        if planned and call.answered_by_callee:
            yield from too_short(self.table, planned, streams)
            declared = self.declared[call.id]
            yield from source_problems(self.table, planned, call, declared, streams)
            yield from chat_problems(self.table, planned, call, streams, self.openings())
