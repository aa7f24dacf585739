"""DNS messages, as far as a verdict needs them: who was asked for what, and the addresses.

Read with dnspython's wire parser: its ``dns.message`` would do more, but doubles
the time of the import and is not needed for that.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

import dns.exception
import dns.name
import dns.rdataclass
import dns.rdatatype
import dns.wire

#: The bit of the header's flags that marks a response (RFC 1035, section 4.1.1).
_QR = 0x8000


@dataclass(frozen=True)
class DnsMessage:
    """One query or response. The name is in lower case, without the final dot."""

    id: int
    is_response: bool
    qname: str
    #: The type in letters, such as ``A``.
    qtype: str
    #: The A and AAAA records of the answer section, of whatever name: those of aliases count.
    addresses: tuple[IPv4Address | IPv6Address, ...]


def parse(payload: bytes) -> DnsMessage | None:
    """Read a DNS message (RFC 1035, section 4) with one question; None for anything else."""
    parser = dns.wire.Parser(payload)
    try:
        return _message(parser)
    except dns.exception.DNSException:
        return None


def _message(parser: dns.wire.Parser) -> DnsMessage | None:
    number, flags, questions, answers, _authorities, _additionals = parser.get_struct("!HHHHHH")
    if questions != 1:
        return None
    name = parser.get_name(decompress=True)
    qtype, _qclass = parser.get_struct("!HH")
    records = [_address(parser) for _ in range(answers)]
    return DnsMessage(
        id=number,
        is_response=bool(flags & _QR),
        qname=name.canonicalize().to_text(omit_final_dot=True),
        qtype=dns.rdatatype.to_text(qtype),
        addresses=tuple(address for address in records if address),
    )


def _address(parser: dns.wire.Parser) -> IPv4Address | IPv6Address | None:
    """Read one record past; its address when it is an A or AAAA record.

    (RFC 1035, section 3.4.1; RFC 3596, section 2.)
    """
    parser.get_name(decompress=True)
    kind, record_class, _ttl, size = parser.get_struct("!HHIH")
    data = parser.get_bytes(size)
    match kind, record_class, size:
        case (dns.rdatatype.A, dns.rdataclass.IN, 4):
            return IPv4Address(data)
        case (dns.rdatatype.AAAA, dns.rdataclass.IN, 16):
            return IPv6Address(data)
    return None
