"""What clients send to measure how far servers are."""

import asyncio
import json
import socket
import threading

import pytest
from aioice import stun

from agents import round_trips


def test_a_server_is_connected_to_a_few_times(capsys: pytest.CaptureFixture[str]) -> None:
    async def scene() -> int:
        seen = []

        async def taken(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            seen.append(writer)
            writer.close()

        server = await asyncio.start_server(taken, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        where = {"host": "front", "address": "127.0.0.1", "port": port, "transport": "tcp"}
        async with server:
            await round_trips.measure([where])
            await asyncio.sleep(0)
        return len(seen)

    assert asyncio.run(scene()) == round_trips.ATTEMPTS
    event = json.loads(capsys.readouterr().out)
    assert (event["event"], event["host"]) == ("round_trip", "front")
    assert event["milliseconds"] > 0


def test_only_the_answer_to_its_own_request_counts(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as relay:
        relay.bind(("127.0.0.1", 0))

        def answer() -> None:
            for _ in range(round_trips.ATTEMPTS):
                data, sender = relay.recvfrom(2048)
                relay.sendto(bytes(_success(b"another-one!")), sender)
                relay.sendto(bytes(_success(stun.parse_message(data).transaction_id)), sender)

        thread = threading.Thread(target=answer)
        thread.start()
        port = relay.getsockname()[1]
        where = {"host": "relay", "address": "127.0.0.1", "port": port, "transport": "udp"}
        asyncio.run(round_trips.measure([where]))
        thread.join()
    assert json.loads(capsys.readouterr().out)["host"] == "relay"


def _success(transaction: bytes) -> stun.Message:
    return stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, transaction)


def test_a_server_that_refuses_is_an_error() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    where = {"host": "front", "address": "127.0.0.1", "port": port, "transport": "tcp"}
    with pytest.raises(ConnectionRefusedError):
        asyncio.run(round_trips.measure([where]))
