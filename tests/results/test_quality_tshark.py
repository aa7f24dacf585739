"""What a recorded call lost and how it jittered, beside what tshark says of the same."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from results.judge import judge
from results.measured import Quality
from tests.results.recorded import frames, unpack, write
from tests.results.story import Frame, end, ends, ethernet, pcap, udp
from tests.tshark import needs_tshark

#: Of the recorded call of alice and bob: its sockets, as its captures show them.
ALICE, BOB = "10.10.0.11:47732", "10.10.0.12:51925"

INVITE = "INVITE sip:b@{there} SIP/2.0"
OK = "SIP/2.0 200 OK"

#: How a SIP call with this media would begin: it tells tshark the clock rate, 48 kHz.
SIP = """{first}
Via: SIP/2.0/UDP 10.10.0.11:5060;branch=z9hG4bK1
From: <sip:a@10.10.0.11>;tag=1
To: <sip:b@10.10.0.12>{tag}
Call-ID: 1
CSeq: 1 INVITE
Contact: <sip:c@{here}>
Content-Type: application/sdp
Content-Length: {length}

"""

SDP = """v=0
o=- 1 1 IN IP4 {here}
s=-
c=IN IP4 {here}
t=0 0
m=audio {port} RTP/AVP 96
a=rtpmap:96 opus/48000/2
"""

pytestmark = needs_tshark


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return unpack(tmp_path)


def sip(first: str, here: str, there: str) -> bytes:
    """An Ethernet frame with a SIP message that describes media at one end."""
    address, port = here.split(":")
    sdp = SDP.format(here=address, port=port).replace("\n", "\r\n")
    tag = ";tag=2" if first == OK else ""
    head = first.format(there=there.split(":")[0])
    text = SIP.format(first=head, here=address, length=len(sdp), tag=tag, sdp="").replace(
        "\n", "\r\n"
    )
    carried = ends(f"{address}:5060", f"{there.split(':')[0]}:5060")
    return ethernet(None, None, 0x0800, udp(carried, (text + sdp).encode()))


def by_tshark(capture: list[Frame], into: Path) -> dict[int, list[str]]:
    """Source port -> the words of the line that tshark prints of the stream from there.

    It gets the media alone, since where STUN is about it takes no notice of SIP, and
    without marker bits: at a marker it does not measure, and here every packet has one.
    """
    before = capture[0].time - 2
    told = [Frame(before, sip(INVITE, ALICE, BOB)), Frame(before + 1, sip(OK, BOB, ALICE))]
    media = [frame for frame in capture if is_media(frame.data)]
    into.write_bytes(pcap([*told, *(Frame(at, without_marker(data)) for at, data in media)]))
    command = ["tshark", "-r", str(into), "-q", "-z", "rtp,streams"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = [line.split() for line in done.stdout.splitlines() if "10.10.0." in line]
    return {int(words[3]): words for words in lines}


def ours(folder: Path, sender: str) -> Quality:
    media = [path for path in judge(folder).calls[0].media if path.from_ == sender]
    assert media[0].quality
    return media[0].quality


def agree(found: Quality, words: list[str]) -> None:
    """Packets, loss and jitter are those of tshark's line."""
    packets, lost, mean, most = int(words[8]), int(words[9]), float(words[15]), float(words[16])
    assert found.expected - found.lost + found.duplicated == packets
    assert found.lost == lost
    assert (found.jitter_ms, found.jitter_max_ms) == pytest.approx((mean, most), abs=0.0011)


def every(nth: int) -> Callable[[int], bool]:
    return lambda number: number % nth == 0


@pytest.mark.parametrize(
    "dropped",
    [lambda _: False, every(10), lambda number: 30 <= number < 42],
    ids=["nothing lost", "every tenth lost", "twelve in a row lost"],
)
def test_loss_and_jitter_are_those_of_tshark(folder: Path, dropped: Callable[[int], bool]) -> None:
    whole = frames(folder, "bob-eth0")
    media = [at for at, frame in enumerate(whole) if is_media(frame.data)]
    gone = {at for number, at in enumerate(media, 1) if dropped(number)}
    kept = [frame for at, frame in enumerate(whole) if at not in gone]
    write(folder, "bob-eth0", kept)
    found = ours(folder, "alice")
    assert found.lost == len(gone)
    agree(found, by_tshark(kept, folder / "told.pcap")[end(ALICE)[1]])


def is_media(frame: bytes) -> bool:
    """Whether a frame is SRTP of alice to bob."""
    ports = b"".join(end(at)[1].to_bytes(2) for at in (ALICE, BOB))
    return frame[34:38] == ports and frame[42] >> 6 == 2 and frame[43] & 0x7F == 96


def without_marker(frame: bytes) -> bytes:
    return frame[:43] + bytes([frame[43] & 0x7F]) + frame[44:]
