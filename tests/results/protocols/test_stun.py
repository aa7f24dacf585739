"""STUN and TURN messages: the RFC's own vectors, another implementation's, and arbitrary bytes."""

import struct
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from hashlib import md5
from ipaddress import IPv4Address, IPv6Address

import aioice.stun
import pytest
from hypothesis import given
from hypothesis import strategies as st

from results.protocols import stun
from results.protocols.stun import AttributeType, Class, Message, Method, StunError

PASSWORD = b"VOkJxbRl1RmTxUk/WvJxBt"

#: RFC 5769, section 2.1: sample request.
REQUEST = bytes.fromhex(
    "000100582112a442b7e7a701bc34d686fa87dfae"
    "802200105354554e207465737420636c69656e74"
    "002400046e0001ff80290008932ff9b151263b36"
    "000600096576746a3a68367659202020"
    "000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2"
    "80280004e57a3bcf"
)
#: RFC 5769, section 2.2: sample IPv4 response.
RESPONSE = bytes.fromhex(
    "0101003c2112a442b7e7a701bc34d686fa87dfae"
    "8022000b7465737420766563746f7220"
    "002000080001a147e112a643"
    "000800142b91f599fd9e90c38c7489f92af9ba53f06be7d7"
    "80280004c07d4c96"
)
#: RFC 5769, section 2.3: sample IPv6 response.
RESPONSE_6 = bytes.fromhex(
    "010100482112a442b7e7a701bc34d686fa87dfae"
    "8022000b7465737420766563746f7220"
    "002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9"
    "00080014a382954e4be67bf11784c97c8292c275bfe3ed41"
    "80280004c8fb0b4c"
)


def message(*attributes: tuple[int, bytes], kind: int = 0x0001) -> bytes:
    body = b"".join(
        struct.pack(">HH", number, len(value)) + value + bytes(-len(value) % 4)
        for number, value in attributes
    )
    return struct.pack(">HHI", kind, len(body), stun.MAGIC_COOKIE) + bytes(range(12)) + body


def test_the_sample_request() -> None:
    request = stun.parse(REQUEST)
    assert (request.method, request.message_class) == (Method.BINDING, Class.REQUEST)
    assert request.transaction_id.hex() == "b7e7a701bc34d686fa87dfae"
    assert request.username == "evtj:h6vY"
    assert request.priority == 0x6E0001FF
    assert request.ice_controlled == 0x932FF9B151263B36
    assert request.ice_controlling is None
    assert not request.use_candidate


@pytest.mark.parametrize(
    ("data", "ip"),
    [
        (RESPONSE, IPv4Address("192.0.2.1")),
        (RESPONSE_6, IPv6Address("2001:db8:1234:5678:11:2233:4455:6677")),
    ],
)
def test_the_sample_responses(data: bytes, ip: IPv4Address | IPv6Address) -> None:
    response = stun.parse(data)
    assert response.message_class == Class.SUCCESS
    assert response.xor_mapped_address == (ip, 32853)


@pytest.mark.parametrize("data", [REQUEST, RESPONSE, RESPONSE_6])
def test_integrity_and_fingerprint_of_the_samples(data: bytes) -> None:
    assert stun.integrity_ok(data, PASSWORD)
    assert stun.fingerprint_ok(data)


@pytest.mark.parametrize("data", [REQUEST, RESPONSE])
def test_a_wrong_key_or_an_altered_byte_fails(data: bytes) -> None:
    altered = data[:30] + bytes([data[30] ^ 1]) + data[31:]
    assert not stun.integrity_ok(data, PASSWORD + b"!")
    assert not stun.integrity_ok(altered, PASSWORD)
    assert not stun.fingerprint_ok(altered)


def test_without_the_attributes_nothing_is_proven() -> None:
    bare = message((AttributeType.USERNAME, b"a:b"))
    assert not stun.integrity_ok(bare, PASSWORD)
    assert not stun.fingerprint_ok(bare)


def test_a_fingerprint_that_is_not_last_is_none() -> None:
    late = message((AttributeType.FINGERPRINT, bytes(4)), (AttributeType.PRIORITY, bytes(4)))
    assert not stun.fingerprint_ok(late)


def test_a_long_term_credential() -> None:
    sent = aioice.stun.Message(aioice.stun.Method.ALLOCATE, aioice.stun.Class.REQUEST)
    sent.attributes["USERNAME"] = "alice"
    sent.attributes["REALM"] = "service.example"
    sent.attributes["NONCE"] = b"nonce"
    sent.attributes["LIFETIME"] = 600
    key = md5(b"alice:service.example:secret", usedforsecurity=False).digest()
    sent.add_message_integrity(key)
    data = bytes(sent)
    read = stun.parse(data)
    assert (read.method, read.username, read.realm) == (Method.ALLOCATE, "alice", "service.example")
    assert (read.nonce, read.lifetime) == (b"nonce", 600)
    assert stun.integrity_ok(data, key)
    assert not stun.integrity_ok(data, key[::-1])


def test_the_attributes_of_turn() -> None:
    sent = aioice.stun.Message(aioice.stun.Method.CHANNEL_BIND, aioice.stun.Class.REQUEST)
    sent.attributes["CHANNEL-NUMBER"] = 0x4001
    sent.attributes["XOR-PEER-ADDRESS"] = ("198.51.100.2", 40000)
    sent.attributes["XOR-RELAYED-ADDRESS"] = ("203.0.113.9", 50000)
    sent.attributes["DATA"] = b"payload"
    read = stun.parse(bytes(sent))
    assert read.channel_number == 0x4001
    assert read.xor_peer_address == (IPv4Address("198.51.100.2"), 40000)
    assert read.xor_relayed_address == (IPv4Address("203.0.113.9"), 50000)
    assert read.data == b"payload"


def test_a_nominating_check() -> None:
    read = stun.parse(
        message((AttributeType.USE_CANDIDATE, b""), (AttributeType.ICE_CONTROLLING, bytes([1] * 8)))
    )
    assert read.use_candidate
    assert read.ice_controlling == 0x0101010101010101


def test_an_error_response() -> None:
    value = b"\x00\x00\x04\x03" + b"Forbidden"
    read = stun.parse(message((AttributeType.ERROR_CODE, value), kind=0x0118))
    assert (read.method, read.message_class) == (Method.CREATE_PERMISSION, Class.ERROR)
    assert read.error_code == (403, "Forbidden")


def test_absent_attributes_are_none() -> None:
    read = stun.parse(message())
    assert read.error_code is None
    assert read.xor_peer_address is None
    assert read.channel_number is None
    assert read.realm is None
    assert read.data is None


def test_the_first_of_several_counts_and_none_after_the_integrity() -> None:
    read = stun.parse(
        message(
            (AttributeType.PRIORITY, b"\0\0\0\1"),
            (AttributeType.PRIORITY, b"\0\0\0\2"),
            (AttributeType.MESSAGE_INTEGRITY, bytes(20)),
            (AttributeType.USE_CANDIDATE, b""),
        )
    )
    assert read.priority == 1
    assert not read.use_candidate


@given(st.integers(0, 0xFFF), st.sampled_from(list(Class)))
def test_method_and_class_share_the_type(method: int, message_class: Class) -> None:
    # RFC 8489, figure 3: the class bits C1 and C0 lie between those of the method.
    bits = f"{method:012b}"
    c1, c0 = tuple(f"{message_class:02b}")
    kind = int(bits[:5] + c1 + bits[5:8] + c0 + bits[8:], 2)
    read = stun.parse(message(kind=kind))
    assert (read.method, read.message_class) == (method, message_class)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\x00\x01", "2 bytes; a STUN header has 20"),
        (b"\x80" + message()[1:], "message type 0x8001; its two most significant bits must be 0"),
        (bytes(20), "magic cookie 0x00000000; expected 0x2112a442"),
        (message() + bytes(4), "length field 0, but 4 bytes follow"),
        (
            message((AttributeType.DATA, b"abcd"))[:23].replace(b"\0\x08", b"\0\x03", 1),
            "3 bytes at byte 20; an attribute has at least 4",
        ),
        (
            message((AttributeType.DATA, b"")).replace(b"\0\x13\0\0", b"\0\x13\0\x05"),
            "attribute 0x0013 at byte 20 claims 5 bytes; 0 are left with its padding",
        ),
    ],
)
def test_malformed_messages(data: bytes, text: str) -> None:
    with pytest.raises(StunError) as caught:
        stun.parse(data)
    assert str(caught.value) == text


ACCESSORS: list[tuple[AttributeType, bytes, Callable[[Message], object], str]] = [
    (
        AttributeType.PRIORITY,
        b"abc",
        lambda read: read.priority,
        "PRIORITY has 3 bytes; expected 4",
    ),
    (
        AttributeType.ERROR_CODE,
        b"abc",
        lambda read: read.error_code,
        "ERROR-CODE has 3 bytes; expected at least 4",
    ),
    (
        AttributeType.USERNAME,
        b"a\xff",
        lambda read: read.username,
        "USERNAME is not UTF-8 at byte 1",
    ),
    (
        AttributeType.XOR_PEER_ADDRESS,
        b"\0\x02" + bytes(6),
        lambda read: read.xor_peer_address,
        "XOR-PEER-ADDRESS has family 02 and 8 bytes",
    ),
    (
        AttributeType.XOR_MAPPED_ADDRESS,
        b"",
        lambda read: read.xor_mapped_address,
        "XOR-MAPPED-ADDRESS has family none and 0 bytes",
    ),
]


@pytest.mark.parametrize(("kind", "value", "accessor", "text"), ACCESSORS)
def test_malformed_values(
    kind: AttributeType, value: bytes, accessor: Callable[[Message], object], text: str
) -> None:
    with pytest.raises(StunError) as caught:
        accessor(stun.parse(message((kind, value))))
    assert str(caught.value) == text


ATTRIBUTES = st.lists(
    st.tuples(st.sampled_from(list(AttributeType)) | st.integers(0, 0xFFFF), st.binary(max_size=24))
)


@given(ATTRIBUTES)
def test_attributes_come_back_as_they_were_written(attributes: list[tuple[int, bytes]]) -> None:
    data = message(*attributes)
    read = stun.parse(data)
    assert [(item.type, item.value) for item in read.attributes] == attributes
    assert all(data[item.start :].startswith(item.value) for item in read.attributes)


def _attribute(data: bytes, name: str) -> object:
    return getattr(stun.parse(data), name)


@given(st.binary() | ATTRIBUTES.map(lambda attributes: message(*attributes)))
def test_arbitrary_bytes_raise_nothing_but_stun_errors(data: bytes) -> None:
    names = [name for name, item in vars(Message).items() if isinstance(item, property)]
    reads: list[Callable[[], object]] = [
        lambda: stun.integrity_ok(data, b"key"),
        lambda: stun.fingerprint_ok(data),
        *(partial(_attribute, data, name) for name in names),
    ]
    for read in reads:
        with suppress(StunError):
            read()
