"""Which relayed addresses a description declares."""

from hypothesis import given
from hypothesis import strategies as st

from agents.edge.relayed import relayed_candidates

_OFFER = """v=0\r
m=audio 9 UDP/TLS/RTP/SAVPF 96\r
a=candidate:1 1 udp 2130706431 10.10.0.11 50000 typ host\r
a=candidate:2 1 udp 1694498815 198.51.100.2 61000 typ srflx raddr 10.10.0.11 rport 50000\r
a=candidate:3 1 udp 16777215 203.0.113.9 49152 typ relay raddr 198.51.100.2 rport 61000\r
m=video 9 UDP/TLS/RTP/SAVPF 97\r
a=candidate:4 1 tcp 16777215 turn.example.net 49153 typ relay\r
"""


def test_relayed_candidates_of_all_media_lines() -> None:
    found = list(relayed_candidates(_OFFER))
    assert found == [("203.0.113.9", "49152"), ("turn.example.net", "49153")]


def test_a_trickled_candidate_has_no_prefix() -> None:
    line = "candidate:3 1 udp 16777215 203.0.113.9 49152 typ relay"
    assert list(relayed_candidates(line)) == [("203.0.113.9", "49152")]
    assert list(relayed_candidates("")) == []


@given(st.text())
def test_nonsense_declares_nothing_that_fails(text: str) -> None:
    for address, port in relayed_candidates(f"a=candidate:{text}\na={text}\n{text}"):
        assert address
        assert port
