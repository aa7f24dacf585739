"""The benchmark of reading: packets of the stated mix, and figures that were measured."""

from collections import Counter
from collections.abc import Generator, Iterator
from itertools import cycle, islice, pairwise
from pathlib import Path

import numpy as np
import pytest

from results.packets import Kind, PacketTable, read_table
from results.tracing.joining import join
from results.wire.processes import by_processes
from scenarios.reading import bench as benching
from scenarios.reading import own, peers, taps
from scenarios.reading.mix import MIX, packets, write_pcap, write_pcapng
from topologies.spec import Tap

COUNT = 20_000


def read(path: Path) -> PacketTable:
    return read_table({Tap(name=path.stem, host="h", interface="e", link="l", mac=None): path})


def test_the_mix_is_the_stated_one(tmp_path: Path) -> None:
    assert sum(share.permille for share in MIX) == 1000
    write_pcap(tmp_path / "a.pcap", packets(COUNT))
    table = read(tmp_path / "a.pcap")
    kinds = Counter(zip(table.kind.tolist(), table.inner_kind.tolist(), strict=True))
    parts = {pair: number / COUNT for pair, number in kinds.items()}
    media = sum(part for (_, inner), part in parts.items() if inner == Kind.RTP)
    assert media == pytest.approx(0.85, abs=0.01)
    assert parts[Kind.CHANNEL_DATA, Kind.RTP] == pytest.approx(0.425, abs=0.01)
    assert parts[Kind.STUN, Kind.RTP] == pytest.approx(0.02, abs=0.005)
    assert parts[Kind.RTCP, Kind.RTCP] == pytest.approx(0.05, abs=0.005)
    assert parts[Kind.STUN, Kind.STUN] == pytest.approx(0.03, abs=0.005)
    assert parts[Kind.DTLS, Kind.DTLS] == pytest.approx(0.01, abs=0.003)
    assert {Kind.DNS, Kind.TLS, Kind.TCP} < {inner for _, inner in parts}
    assert Kind.OTHER not in table.kind
    sizes = table.inner_size[table.inner_kind == Kind.RTP]
    assert (sizes.min(), sizes.max()) == (160, 1100)


def test_both_formats_hold_the_same_packets(tmp_path: Path) -> None:
    write_pcap(tmp_path / "a.pcap", packets(500))
    write_pcapng(tmp_path / "b.pcapng", packets(500))
    one, other = read(tmp_path / "a.pcap"), read(tmp_path / "b.pcapng")
    assert [one.ethernet(row) for row in range(500)] == [other.ethernet(r) for r in range(500)]
    assert one.time.tolist() == other.time.tolist()


def test_every_packet_is_seen_at_all_taps(tmp_path: Path) -> None:
    some = list(islice(packets(1000), 1000))
    captures = {}
    for number in range(taps.TAPS):
        path = tmp_path / f"tap{number}.pcap"
        write_pcap(path, taps.seen_at(some, number))
        captures[Tap(name=path.stem, host="h", interface="e", link="l", mac=None)] = path
    passages = join(read_table(captures))
    assert set(passages.sizes.tolist()) == {taps.TAPS}


def test_what_is_measured_of_ourselves(tmp_path: Path) -> None:
    write_pcap(tmp_path / "a.pcap", packets(300))
    said = own.measure(tmp_path / "a.pcap", 2)
    assert said["packets"] == 300
    assert 0 < said["seconds"] < 60
    assert said["anonymous_kib"] > 1000


def test_the_memory_of_workers_counts() -> None:
    def work(size: int) -> Iterator[int]:
        taken = np.ones(size, np.uint8)
        # It is held until nobody listens any more.
        yield from cycle(taken[:1].tolist())

    before = own.anonymous_kib()
    taking = by_processes(work, [1 << 26], 1)
    assert isinstance(taking, Generator)
    assert next(taking) == 1
    assert own.anonymous_kib() > before + (1 << 16)
    taking.close()
    assert own.anonymous_kib() < before + (1 << 15)


def test_a_peer_is_compared_by_seconds_a_packet(monkeypatch: pytest.MonkeyPatch) -> None:
    peer = peers.Peer("numpy", 50, lambda path, count: float(path.exists() and count))
    monkeypatch.setattr(peers, "installed", lambda: [peer])
    said: list[str] = []
    ours, ng, theirs, joined = benching.bench(400, 1, said.append)
    assert (ours.packets, ng.packets, theirs.packets, joined.packets) == (400, 400, 50, 1600)
    assert theirs.seconds == 50
    assert theirs.times_slower == pytest.approx(ours.rate)
    assert ours.anonymous_mib is not None
    assert said[-2:] == ["numpy is reading", "joining taps"]


def test_a_program_that_fails_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(benching.ReadingError, match=r"own failed: .*none\.pcap does not exist"):
        benching._program("scenarios.reading.own", 1, tmp_path / "none.pcap")


def test_tshark_sees_webrtc() -> None:
    command = peers.tshark_command(Path("a.pcap"))
    enabled = [after for word, after in pairwise(command) if "heur" in word]
    assert enabled == ["rtp_udp", "rtp_stun", "rtcp_stun", "dtls_stun", "stun_turn"]
