"""Ways in which a run may have been another than it seems: each must not pass.

A mutant changes a run folder that passes; it is sealed anew after that, and the
packet counters agree with the captures, so that nothing but the evidence itself
can tell.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from results.schema import RunFolder, Verdict
from tests.results.frame_kinds import (
    is_canary,
    is_dns_answer,
    is_dtls,
    is_rtp,
    nominates,
)
from tests.results.media_mutants import (
    media_at_the_perimeter,
    media_at_the_relay,
    media_under_other_keys,
    mute_from_the_middle,
    other_calls_media,
    strange_connection,
    unknown_media_at_the_relay,
)
from tests.results.paper_mutants import (
    another_peer,
    another_port,
    claims,
    dropped,
    flow_2_not_expected,
    flow_3_expected,
    longer,
    media_at_the_relay_expected,
    miscounted,
    one_call_less,
    one_call_more,
    removed,
    run_json,
    through_the_relay,
    uncounted,
)
from tests.results.recorded import frames, keep, taps, write


class Mutant(NamedTuple):
    """What is done to the folder, and the verdict and words that must come of it."""

    name: str
    change: Callable[[Path], None]
    verdict: Verdict
    reason: str


def without(*names: str, drop: Callable[[bytes], bool] = is_rtp) -> Callable[[Path], None]:
    """Cut some frames from the captures of some taps, or of all."""

    def change(folder: Path) -> None:
        for tap in names or taps(folder):
            keep(folder, tap, lambda frame: not drop(frame))

    return change


def _truncated(folder: Path) -> None:
    path = RunFolder(folder).capture("inet-eth0")
    path.write_bytes(path.read_bytes()[:-7])


def _ends_early(folder: Path) -> None:
    """Cut between two frames, where no reader can tell."""
    write(folder, "inet-eth0", frames(folder, "inet-eth0")[:-20])


def _one_canary(wanted: bytes) -> Callable[[bytes], bool]:
    return lambda frame: is_canary(frame) and wanted in frame


def _damaged_header(folder: Path) -> None:
    path = RunFolder(folder).capture("core-eth2")
    path.write_bytes(b"nothing like a capture" + path.read_bytes())


def _no_captures(folder: Path) -> None:
    for path in (folder / "captures").iterdir():
        path.unlink()


def _far_future(folder: Path) -> None:
    """The timestamp of the first frame is set beyond what 64 bits hold."""
    path = RunFolder(folder).capture("inet-eth1")
    data = bytearray(path.read_bytes())
    at = data.index(b"\x06\x00\x00\x00")
    data[at + 12 : at + 16] = b"\xff" * 4
    path.write_bytes(data)


def _wrong_keys(folder: Path) -> None:
    for user in ("alice", "bob", "bea"):
        path = RunFolder(folder).keys(user, "dtls")
        words = path.read_text(encoding="ascii").split()
        words[2::3] = ["00" * 48 for _ in words[2::3]]
        lines = (" ".join(words[at : at + 3]) for at in range(0, len(words), 3))
        path.write_text("\n".join(lines) + "\n", encoding="ascii")


INCONCLUSIVE, FAIL = Verdict.INCONCLUSIVE, Verdict.FAIL

MUTANTS = (
    Mutant(
        "media cut from the receiver's tap",
        without("bob-eth0"),
        INCONCLUSIVE,
        "media packets from alice to bob left alice-eth0 and were never seen to arrive at bob-eth0",
    ),
    Mutant(
        "media cut from the sender's tap",
        without("bea-eth0"),
        INCONCLUSIVE,
        "bea-eth0 lacks 104 packets that must have passed there: branch_rtr-eth0 has them",
    ),
    Mutant(
        "media cut from a router's tap",
        without("core-eth1"),
        INCONCLUSIVE,
        "core-eth1 lacks",
    ),
    Mutant(
        "media cut from both taps of a router",
        without("core-eth0", "core-eth1"),
        INCONCLUSIVE,
        "core-eth1 lacks",
    ),
    Mutant(
        "media cut from the later half of a tap",
        mute_from_the_middle,
        INCONCLUSIVE,
        "were never seen to arrive at bob-eth0",
    ),
    Mutant(
        "media cut from all taps",
        without(),
        FAIL,
        "no authenticated media from alice to bob in call 1-alice-bob arrived",
    ),
    Mutant(
        "another call's media",
        other_calls_media,
        FAIL,
        "no authenticated media from",
    ),
    Mutant(
        "another run's media",
        media_under_other_keys,
        FAIL,
        "authenticate under no key of this run",
    ),
    Mutant(
        "media at the perimeter",
        media_at_the_perimeter,
        INCONCLUSIVE,
        "every tap on the way into core lacks 1 packet that must have passed there",
    ),
    Mutant(
        "media at the relay",
        media_at_the_relay,
        FAIL,
        "went astray by alice-eth0, core-eth0, core-eth2, office_nat-eth0, office_nat-eth1, "
        "inet-eth0, inet-eth2, relay-eth0",
    ),
    Mutant(
        "unknown media at the relay",
        unknown_media_at_the_relay,
        FAIL,
        "1 packet looks like SRTP at alice-eth0",
    ),
    Mutant("a truncated capture", _truncated, INCONCLUSIVE, "captures/inet-eth0.pcapng is"),
    Mutant(
        "a capture that ends early",
        _ends_early,
        INCONCLUSIVE,
        "inet-eth0 may have been blind: no canary arrived after the calls",
    ),
    Mutant("no capture", removed("captures/core-eth2.pcapng"), INCONCLUSIVE, "does not exist"),
    Mutant("a foreign capture", _damaged_header, INCONCLUSIVE, "is not a capture"),
    Mutant("no captures at all", _no_captures, INCONCLUSIVE, "alice-eth0.pcapng does not exist"),
    Mutant(
        "a capture from the far future",
        _far_future,
        INCONCLUSIVE,
        "captures/inet-eth1.pcapng is damaged: frame 1 has a time after the year 2262",
    ),
    Mutant(
        "a claim of another port",
        claims(another_port),
        FAIL,
        "alice claims the local end 10.10.0.11:9/udp (host) as selected",
    ),
    Mutant(
        "a claim of another peer",
        claims(another_peer),
        FAIL,
        "alice claims the remote end 10.20.0.11:9/udp (host) as selected",
    ),
    Mutant("a claim of another type", claims(through_the_relay), FAIL, "/udp (relay) as selected"),
    Mutant(
        "no events",
        removed("events/alice.jsonl", "events/bob.jsonl", "events/bea.jsonl"),
        INCONCLUSIVE,
        "alice left no claim of the pair that it selected in call 1-alice-bob",
    ),
    Mutant("no TLS keys", removed("keys/alice.tls"), INCONCLUSIVE, "keys/alice.tls cannot be read"),
    Mutant(
        "no DTLS keys",
        removed("keys/alice.dtls", "keys/bob.dtls", "keys/bea.dtls"),
        INCONCLUSIVE,
        "has its client random",
    ),
    Mutant("wrong DTLS keys", _wrong_keys, FAIL, "authenticate under no key of this run"),
    Mutant(
        "media shorter than planned",
        run_json(longer),
        FAIL,
        "less than the planned 30 s",
    ),
    Mutant(
        "a planned call that never was",
        run_json(one_call_more),
        FAIL,
        "the planned call 3-bob-bea of bob to bea is not in the captures",
    ),
    Mutant(
        "a call that was not planned",
        run_json(one_call_less),
        FAIL,
        "call 2-alice-bea of alice and bea was not planned",
    ),
    Mutant(
        "an expected flow that is not there",
        run_json(flow_3_expected),
        FAIL,
        "expected signalling Flow 3 was not seen",
    ),
    Mutant(
        "a flow that is not expected",
        run_json(flow_2_not_expected),
        FAIL,
        "unexpected signalling Flow 2",
    ),
    Mutant(
        "media on another flow than expected",
        run_json(media_at_the_relay_expected),
        FAIL,
        "unexpected media Flow 5",
    ),
    Mutant(
        "a connection that nobody expected",
        strange_connection,
        FAIL,
        "unexpected signalling Flow 5",
    ),
    Mutant("dropped packets", dropped, INCONCLUSIVE, "core-eth1 dropped 3 packets"),
    Mutant("no counters", uncounted, INCONCLUSIVE, "core-eth1 has no packet counters"),
    Mutant("other counters", miscounted, INCONCLUSIVE, "but the capture program counted 9"),
    Mutant(
        "no first canary",
        without("relay-lo", drop=_one_canary(b"before")),
        INCONCLUSIVE,
        "relay-lo may have been blind: no canary arrived before the calls",
    ),
    Mutant(
        "no last canary",
        without("relay-eth0", drop=_one_canary(b"after")),
        INCONCLUSIVE,
        "relay-eth0 may have been blind: no canary arrived after the calls",
    ),
    Mutant(
        "no DNS answers",
        without(drop=is_dns_answer),
        FAIL,
        "lacks step 1 (resolve): no DNS answer for front-end.service.example reached alice",
    ),
    Mutant(
        "no nomination",
        without(drop=nominates),
        FAIL,
        "lacks step 7 (check): no nominating check was answered before media began",
    ),
    Mutant(
        "no DTLS",
        without(drop=is_dtls),
        FAIL,
        "no DTLS handshake between alice and bob was seen on the ICE sockets",
    ),
    Mutant("no ending", removed("ending.json"), INCONCLUSIVE, "ending.json"),
)
