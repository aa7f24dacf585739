"""DNS messages: those that dnspython writes, and whatever else comes along."""

import subprocess
import sys
from ipaddress import IPv4Address, IPv6Address

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from results.protocols.dns import DnsMessage, parse

NAME = "relay.service.example"


def response(*records: tuple[str, str, str]) -> dns.message.Message:
    message = dns.message.make_response(dns.message.make_query(NAME, "A", id=4711))
    for name, kind, value in records:
        message.answer.append(dns.rrset.from_text(name, 60, "IN", kind, value))
    return message


def test_a_query() -> None:
    wire = dns.message.make_query("Relay.Service.EXAMPLE", "AAAA", id=4711).to_wire()
    assert parse(wire) == DnsMessage(
        4711, is_response=False, qname=NAME, qtype="AAAA", addresses=()
    )


def test_a_response() -> None:
    alias = ("relay.service.example.", "CNAME", "edge.service.example.")
    first = ("edge.service.example.", "A", "203.0.113.9")
    second = ("edge.service.example.", "A", "203.0.113.13")
    read = parse(response(alias, first, second).to_wire())
    assert read is not None
    assert (read.id, read.is_response, read.qname, read.qtype) == (4711, True, NAME, "A")
    assert read.addresses == (IPv4Address("203.0.113.9"), IPv4Address("203.0.113.13"))


def test_addresses_of_both_families() -> None:
    read = parse(response((f"{NAME}.", "AAAA", "2001:db8::9")).to_wire())
    assert read is not None
    assert read.addresses == (IPv6Address("2001:db8::9"),)


def test_addresses_of_the_other_sections_do_not_count() -> None:
    message = response()
    message.additional.append(dns.rrset.from_text(f"{NAME}.", 60, "IN", "A", "203.0.113.9"))
    read = parse(message.to_wire())
    assert read is not None
    assert read.addresses == ()


def test_a_refusal_is_a_response_without_addresses() -> None:
    message = response()
    message.set_rcode(dns.rcode.NXDOMAIN)
    read = parse(message.to_wire())
    assert read is not None
    assert (read.is_response, read.addresses) == (True, ())


def test_an_unknown_type_has_its_number() -> None:
    read = parse(dns.message.make_query(NAME, "TYPE65399").to_wire())
    assert read is not None
    assert read.qtype == "TYPE65399"


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        bytes(12),
        b"\x80\x60" + bytes(30),
        bytes.fromhex("126701000001000000000000c00c00010001"),  # a name that points at itself
    ],
)
def test_what_is_not_dns_is_none(payload: bytes) -> None:
    assert parse(payload) is None


@given(st.integers(0, 10_000))
def test_a_cut_message_is_none(size: int) -> None:
    wire = response((f"{NAME}.", "A", "203.0.113.9")).to_wire()
    assert parse(wire[: size % len(wire)]) is None


@given(st.binary() | st.binary().map(lambda rest: bytes.fromhex("126781800001000200000000") + rest))
def test_arbitrary_bytes_are_read_or_not(payload: bytes) -> None:
    read = parse(payload)
    assert read is None or isinstance(read.qname, str)


def test_the_import_leaves_out_what_is_slow() -> None:
    code = "import sys, results.protocols.dns; print('dns.message' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"
