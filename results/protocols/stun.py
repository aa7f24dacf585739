"""STUN and TURN messages, read from their bytes (RFC 8489, RFC 8656, RFC 8445).

This reader is results' own: the agents' protocol code must not judge itself.
"""

import hmac
import struct
import zlib
from dataclasses import dataclass
from enum import IntEnum
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

#: RFC 8489, section 5.
MAGIC_COOKIE = 0x2112A442
MAGIC = MAGIC_COOKIE.to_bytes(4)
HEADER_SIZE = 20

#: RFC 8489, section 14.7.
_FINGERPRINT_XOR = 0x5354554E


class StunError(ValueError):
    """Bytes that are not the STUN message they should be. Speaks to a person."""


class Class(IntEnum):
    """The class bits of a message type (RFC 8489, section 5)."""

    REQUEST = 0
    INDICATION = 1
    SUCCESS = 2
    ERROR = 3


class Method(IntEnum):
    """Methods of STUN and TURN (RFC 8489, section 18.2; RFC 8656, section 17)."""

    BINDING = 0x001
    ALLOCATE = 0x003
    REFRESH = 0x004
    SEND = 0x006
    DATA = 0x007
    CREATE_PERMISSION = 0x008
    CHANNEL_BIND = 0x009


class AttributeType(IntEnum):
    """Attributes that have an accessor (RFC 8489 section 18.3, RFC 8656 section 18, RFC 8445)."""

    USERNAME = 0x0006
    MESSAGE_INTEGRITY = 0x0008
    ERROR_CODE = 0x0009
    CHANNEL_NUMBER = 0x000C
    LIFETIME = 0x000D
    XOR_PEER_ADDRESS = 0x0012
    DATA = 0x0013
    REALM = 0x0014
    NONCE = 0x0015
    XOR_RELAYED_ADDRESS = 0x0016
    XOR_MAPPED_ADDRESS = 0x0020
    PRIORITY = 0x0024
    USE_CANDIDATE = 0x0025
    FINGERPRINT = 0x8028
    ICE_CONTROLLED = 0x8029
    ICE_CONTROLLING = 0x802A


class Address(NamedTuple):
    """A transport address."""

    ip: IPv4Address | IPv6Address
    port: int


class Attribute(NamedTuple):
    """One attribute as it stands in the message; ``start`` is where its value begins there."""

    type: int
    value: bytes
    start: int


@dataclass(frozen=True)
class Message:
    """A STUN message. Accessors give None where the attribute is absent.

    They raise StunError where its value is malformed. Of several attributes of
    one type the first counts (RFC 8489, section 14).
    """

    method: int
    message_class: Class
    transaction_id: bytes
    attributes: tuple[Attribute, ...]

    @property
    def xor_mapped_address(self) -> Address | None:
        """The address that the server saw (RFC 8489, section 14.2)."""
        return self._address(AttributeType.XOR_MAPPED_ADDRESS)

    @property
    def xor_relayed_address(self) -> Address | None:
        """The address that the relay allocated (RFC 8656, section 18.5)."""
        return self._address(AttributeType.XOR_RELAYED_ADDRESS)

    @property
    def xor_peer_address(self) -> Address | None:
        """The peer as the relay sees it (RFC 8656, section 18.3)."""
        return self._address(AttributeType.XOR_PEER_ADDRESS)

    @property
    def xor_peer_addresses(self) -> tuple[Address, ...]:
        """All peers that a CreatePermission names (RFC 8656, section 9.1)."""
        return tuple(
            _unxor("XOR-PEER-ADDRESS", item.value, self.transaction_id)
            for item in self.attributes
            if item.type == AttributeType.XOR_PEER_ADDRESS
        )

    @property
    def username(self) -> str | None:
        """The user of the credential (RFC 8489, section 14.3)."""
        return self._text(AttributeType.USERNAME)

    @property
    def realm(self) -> str | None:
        """The realm of a long-term credential (RFC 8489, section 14.9)."""
        return self._text(AttributeType.REALM)

    @property
    def nonce(self) -> bytes | None:
        """The server's nonce (RFC 8489, section 14.10)."""
        return self._value(AttributeType.NONCE)

    @property
    def data(self) -> bytes | None:
        """The payload of a Send or Data indication (RFC 8656, section 18.4)."""
        return self._value(AttributeType.DATA)

    @property
    def use_candidate(self) -> bool:
        """Whether the check nominates its pair (RFC 8445, section 7.1.2)."""
        return self._value(AttributeType.USE_CANDIDATE) is not None

    @property
    def priority(self) -> int | None:
        """The priority of a reflexive candidate that the check may find (RFC 8445, 7.1.1)."""
        return self._number(AttributeType.PRIORITY, 4)

    @property
    def ice_controlling(self) -> int | None:
        """Tie-breaker of a controlling agent (RFC 8445, section 7.1.3)."""
        return self._number(AttributeType.ICE_CONTROLLING, 8)

    @property
    def ice_controlled(self) -> int | None:
        """Tie-breaker of a controlled agent (RFC 8445, section 7.1.3)."""
        return self._number(AttributeType.ICE_CONTROLLED, 8)

    @property
    def lifetime(self) -> int | None:
        """Lifetime of an allocation in seconds (RFC 8656, section 18.2)."""
        return self._number(AttributeType.LIFETIME, 4)

    @property
    def channel_number(self) -> int | None:
        """The channel to be bound (RFC 8656, section 18.1)."""
        number = self._number(AttributeType.CHANNEL_NUMBER, 4)
        return None if number is None else number >> 16

    @property
    def error_code(self) -> tuple[int, str] | None:
        """Code and reason of an error response (RFC 8489, section 14.8)."""
        value = self._value(AttributeType.ERROR_CODE)
        if value is None:
            return None
        if len(value) < 4:
            raise StunError(f"ERROR-CODE has {len(value)} bytes; expected at least 4")
        return (value[2] & 7) * 100 + value[3], _utf8("ERROR-CODE", value[4:])

    def find(self, wanted: AttributeType) -> Attribute | None:
        """The first attribute of a type, or None.

        What follows MESSAGE-INTEGRITY is not protected by it and does not count
        (RFC 8489, section 14.5); accessors look here.
        """
        for attribute in self.attributes:
            if attribute.type == wanted:
                return attribute
            if attribute.type == AttributeType.MESSAGE_INTEGRITY:
                return None
        return None

    def _value(self, wanted: AttributeType) -> bytes | None:
        attribute = self.find(wanted)
        return None if attribute is None else attribute.value

    def _number(self, wanted: AttributeType, size: int) -> int | None:
        value = self._value(wanted)
        if value is None:
            return None
        if len(value) != size:
            raise StunError(f"{_label(wanted)} has {len(value)} bytes; expected {size}")
        return int.from_bytes(value)

    def _text(self, wanted: AttributeType) -> str | None:
        value = self._value(wanted)
        return None if value is None else _utf8(_label(wanted), value)

    def _address(self, wanted: AttributeType) -> Address | None:
        value = self._value(wanted)
        return None if value is None else _unxor(_label(wanted), value, self.transaction_id)


def parse(data: bytes) -> Message:
    """Read one STUN message that fills ``data`` (RFC 8489, section 5).

    Raises StunError when it does not.
    """
    if len(data) < HEADER_SIZE:
        raise StunError(f"{len(data)} bytes; a STUN header has {HEADER_SIZE}")
    kind, length, cookie = struct.unpack_from(">HHI", data)
    if kind & 0xC000:
        raise StunError(f"message type 0x{kind:04x}; its two most significant bits must be 0")
    if cookie != MAGIC_COOKIE:
        raise StunError(f"magic cookie 0x{cookie:08x}; expected 0x{MAGIC_COOKIE:08x}")
    if length != len(data) - HEADER_SIZE:
        raise StunError(f"length field {length}, but {len(data) - HEADER_SIZE} bytes follow")
    return Message(_method(kind), _class(kind), data[8:HEADER_SIZE], _attributes(data))


def integrity_ok(message: bytes, key: bytes) -> bool:
    """Whether MESSAGE-INTEGRITY is there and made with the key (RFC 8489, section 14.5).

    A short-term key is the password (section 9.1.1), a long-term one the MD5 of
    ``user:realm:password`` (section 9.2.2). Raises StunError on malformed bytes.
    """
    attribute = _first(message, AttributeType.MESSAGE_INTEGRITY)
    if attribute is None:
        return False
    covered = _covered(message, attribute)
    return hmac.compare_digest(hmac.digest(key, covered, "sha1"), attribute.value)


def fingerprint_ok(message: bytes) -> bool:
    """Whether FINGERPRINT is there, last and right (RFC 8489, section 14.7).

    Raises StunError on malformed bytes.
    """
    attribute = _first(message, AttributeType.FINGERPRINT)
    if attribute is None or attribute.start + 4 != len(message):
        return False
    crc = zlib.crc32(_covered(message, attribute)) ^ _FINGERPRINT_XOR
    return crc.to_bytes(4) == attribute.value


def _covered(message: bytes, attribute: Attribute) -> bytes:
    """The bytes before an attribute, with the length field as if the attribute were the last."""
    before = message[: attribute.start - 4]
    length = attribute.start + len(attribute.value) - HEADER_SIZE
    return before[:2] + length.to_bytes(2) + before[4:]


def _first(message: bytes, wanted: AttributeType) -> Attribute | None:
    return next((item for item in parse(message).attributes if item.type == wanted), None)


def _method(kind: int) -> int:
    return (kind & 0x000F) | (kind & 0x00E0) >> 1 | (kind & 0x3E00) >> 2


def _class(kind: int) -> Class:
    return Class((kind & 0x0010) >> 4 | (kind & 0x0100) >> 7)


def _attributes(data: bytes) -> tuple[Attribute, ...]:
    attributes = []
    at = HEADER_SIZE
    while at < len(data):
        if len(data) - at < 4:
            raise StunError(f"{len(data) - at} bytes at byte {at}; an attribute has at least 4")
        kind, size = struct.unpack_from(">HH", data, at)
        start, at = at + 4, at + 4 + size + -size % 4
        if at > len(data):
            raise StunError(
                f"attribute 0x{kind:04x} at byte {start - 4} claims {size} bytes; "
                f"{len(data) - start} are left with its padding"
            )
        attributes.append(Attribute(kind, data[start : start + size], start))
    return tuple(attributes)


def _unxor(label: str, value: bytes, transaction_id: bytes) -> Address:
    """Undo the XOR of an address (RFC 8489, section 14.2)."""
    family, size = value[1:2], len(value)
    if (family, size) not in ((b"\x01", 8), (b"\x02", 20)):
        raise StunError(f"{label} has family {family.hex() or 'none'} and {size} bytes")
    port = int.from_bytes(value[2:4]) ^ MAGIC_COOKIE >> 16
    mask = (MAGIC + transaction_id)[: size - 4]
    ip = bytes(a ^ b for a, b in zip(value[4:], mask, strict=True))
    return Address(IPv4Address(ip) if size == 8 else IPv6Address(ip), port)


def _utf8(label: str, value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise StunError(f"{label} is not UTF-8 at byte {error.start}") from None


def _label(kind: AttributeType) -> str:
    """The name as the RFCs write it."""
    return kind.name.replace("_", "-")
