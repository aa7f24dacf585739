"""What the verdict needs of an SDP."""

from ipaddress import IPv6Address

import pytest

from results.protocols.sdp import Candidate, Description, read_candidate, read_description
from tests.results.story import end

OFFER = """v=0
o=- 1 1 IN IP4 0.0.0.0
s=-
t=0 0
m=audio 50000 UDP/TLS/RTP/SAVPF 96
a=ice-ufrag:abcd
a=ice-pwd:0123456789012345678901
a=candidate:1 1 udp 2130706431 10.10.0.11 50000 typ host
a=candidate:2 1 UDP 1694498815 198.51.100.2 61000 typ srflx raddr 10.10.0.11 rport 50000
a=candidate:3 1 udp 16777215 203.0.113.9 49152 typ relay raddr 198.51.100.2 rport 61000
a=fingerprint:sha-256 AA:0B:CC
a=fingerprint:SHA-512 DD:EE
a=end-of-candidates
a=rtpmap:96 opus/48000/2
a=rtpmap:x opus/48000
m=video 50000 UDP/TLS/RTP/SAVPF 97
a=ice-ufrag:abcd
a=candidate:1 1 udp 2130706431 10.10.0.11 50000 typ host
"""


def test_a_description() -> None:
    description = read_description(OFFER.replace("\n", "\r\n"))
    assert (description.ufrag, description.pwd) == ("abcd", "0123456789012345678901")
    assert description.candidates == (
        Candidate("host", "udp", end("10.10.0.11:50000")),
        Candidate("srflx", "udp", end("198.51.100.2:61000")),
        Candidate("relay", "udp", end("203.0.113.9:49152")),
    )
    assert description.fingerprints == {("sha-256", "aa0bcc"), ("sha-512", "ddee")}
    assert description.clock_rates == {96: 48_000}


def test_types_of_addresses() -> None:
    description = read_description(OFFER)
    assert description.type_of(end("198.51.100.2:61000")) == "srflx"
    assert description.type_of(end("203.0.113.9:49152")) == "relay"
    assert description.type_of(end("198.51.100.2:61001")) == "prflx"


def test_a_trickled_candidate_is_added() -> None:
    description = Description().with_candidate("candidate:1 1 udp 1 10.10.0.12 50001 typ host")
    assert description.type_of(end("10.10.0.12:50001")) == "host"
    assert description.with_candidate("") == description


@pytest.mark.parametrize(
    "line",
    [
        "candidate:1 1 udp 1 10.10.0.12 50001",
        "candidate:1 1 udp 1 10.10.0.12 50001 typ other",
        "candidate:1 1 udp 1 fe80::1:50001 typ host",
        "candidate:1 1 udp 1 4f2a.local 50001 typ host",
        "candidate:1 1 udp 1 10.10.0.12 port typ host",
        "ice-ufrag:abcd",
        "",
    ],
)
def test_what_is_no_candidate_of_ours(line: str) -> None:
    assert read_candidate(line) is None


def test_a_candidate_of_ipv6() -> None:
    candidate = read_candidate("candidate:1 1 udp 1 2001:db8:10::1 50001 typ host")
    assert candidate is not None
    assert candidate.end == (int(IPv6Address("2001:db8:10::1")), 50001)


def test_an_empty_description() -> None:
    assert read_description("") == Description()
