"""A packet's text is read, and what happens to it is told."""

import json
from ipaddress import IPv4Address, IPv6Address

import pytest

from controllers.explain import explain_data, explain_text, parse_packet
from controllers.lookup import PacketError, PacketQuery
from controllers.policy import Policy, find, load

SERVICE_ONLY = load(find("service_only"))


@pytest.mark.parametrize(
    "text",
    [
        "udp 10.10.0.5:5000 > 203.0.113.9:3478",
        "  udp  10.10.0.5:5000>203.0.113.9:3478 ",
        "udp 10.10.0.5:5000> 203.0.113.9:3478",
    ],
)
def test_a_packet_is_read(text: str) -> None:
    assert parse_packet(text) == PacketQuery(
        protocol="udp",
        src=IPv4Address("10.10.0.5"),
        sport=5000,
        dst=IPv4Address("203.0.113.9"),
        dport=3478,
    )


def test_icmp_has_no_ports_and_a_side_may_be_given() -> None:
    assert parse_packet("icmp 10.10.0.5 > 203.0.113.9 from inside") == PacketQuery(
        protocol="icmp",
        src=IPv4Address("10.10.0.5"),
        dst=IPv4Address("203.0.113.9"),
        side="inside",
    )


def test_an_ipv6_address_before_a_port_stands_in_brackets() -> None:
    assert parse_packet("udp [2001:db8::5]:5000 > [2001:db8:203::9]:3478") == PacketQuery(
        protocol="udp",
        src=IPv6Address("2001:db8::5"),
        sport=5000,
        dst=IPv6Address("2001:db8:203::9"),
        dport=3478,
    )
    assert parse_packet("icmp 2001:db8::5 > 2001:db8:203::9").src == IPv6Address("2001:db8::5")


EXAMPLES = 'such as "udp 10.10.0.5:5000 > 203.0.113.9:3478" or "icmp 10.10.0.5 > 203.0.113.9"'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", f'"" is not a packet; allowed: {EXAMPLES}'),
        (
            "udp 10.10.0.5:1 203.0.113.9:2",
            f'"udp 10.10.0.5:1 203.0.113.9:2" is not a packet; allowed: {EXAMPLES}',
        ),
        (
            "upd 10.10.0.5:1 > 203.0.113.9:2",
            'unknown protocol "upd" (did you mean "udp"?); allowed: tcp, udp, icmp',
        ),
        (
            "udp 10.10.0.5 > 203.0.113.9:2",
            f'"10.10.0.5" does not fit udp; allowed: an address and a port, {EXAMPLES}',
        ),
        (
            "icmp 10.10.0.5 > 203.0.113.9:2",
            f'"203.0.113.9:2" does not fit icmp; allowed: an address alone, {EXAMPLES}',
        ),
        (
            "udp 10.10.0.256:1 > 203.0.113.9:2",
            '"10.10.0.256" is not an IP address; allowed: one like 10.10.0.5 or 2001:db8:10::5',
        ),
        (
            "udp 10.10.0.5:1 > [2001:db8::9]:2",
            "10.10.0.5 and 2001:db8::9 are of different families; allowed: two of one",
        ),
        (
            "udp 2001:db8::5 > [2001:db8::9]:2",
            f'"2001:db8::5" does not fit udp; allowed: an address and a port, {EXAMPLES}',
        ),
        ("udp 10.10.0.5:1 > 203.0.113.9:70000", '"70000" is not a port; allowed: 1 to 65535'),
        ("udp 10.10.0.5:stun > 203.0.113.9:1", '"stun" is not a port; allowed: 1 to 65535'),
        (
            "udp 10.10.0.5:1 > 203.0.113.9:2 from lan",
            'unknown side "lan"; allowed: inside, outside',
        ),
    ],
)
def test_what_is_wrong_with_a_packet_is_told(text: str, said: str) -> None:
    with pytest.raises(PacketError) as caught:
        explain_text(SERVICE_ONLY, text)
    assert str(caught.value) == said


def test_a_packet_that_passes() -> None:
    assert explain_text(SERVICE_ONLY, "udp 10.10.0.5:5000 > 203.0.113.9:3478") == (
        "udp 10.10.0.5:5000 > 203.0.113.9:3478 passes from inside to outside: "
        "rule turn of service_only decides: STUN, and media through an allocation of the "
        "user's own, use this port (RFC 8656). Answers pass, as its connection is remembered. "
        "(Table 1, priority 39999, cookie 102.)"
    )


def test_a_packet_that_is_refused() -> None:
    assert explain_text(SERVICE_ONLY, "udp 10.10.0.5:5000 > 198.51.100.10:6000") == (
        "udp 10.10.0.5:5000 > 198.51.100.10:6000 is refused: rule no_direct_media of "
        "service_only decides: media leaves the office through the relay only. "
        "(Table 1, priority 39996, cookie 105.)"
    )


def test_a_packet_that_stays_on_its_side() -> None:
    assert explain_text(SERVICE_ONLY, "icmp 10.10.0.5 > 10.20.0.11") == (
        "icmp 10.10.0.5 > 10.20.0.11 is refused: rule default_deny of service_only decides: "
        "no rule allows it. 10.20.0.11 is inside as well, so such a packet has no need to "
        "come here. (Table 1, priority 0, cookie 7.)"
    )


def test_without_connections_answers_need_a_rule() -> None:
    stateless = Policy.model_validate(SERVICE_ONLY.model_dump(by_alias=True) | {"stateful": False})
    told = explain_text(stateless, "udp 10.10.0.5:5000 > 203.0.113.9:3478")
    assert "Answers need a rule of their own: this policy remembers no connections." in told


def test_the_explanation_as_data_is_json() -> None:
    data = explain_data(SERVICE_ONLY, "udp 10.10.0.5:5000 > 198.51.100.10:6000")
    assert json.loads(json.dumps(data)) == data
    assert data == {
        "policy": "service_only",
        "packet": "udp 10.10.0.5:5000 > 198.51.100.10:6000",
        "passes": False,
        "rule": "no_direct_media",
        "because": "media leaves the office through the relay only",
        "side": "inside",
        "to": None,
        "notes": [],
        "entry": {
            "table": 1,
            "priority": 39996,
            "match": {
                "eth_type": 0x0800,
                "in_side": "inside",
                "ct_state": [0x21, 0x21],
                "ip_proto": 17,
                "ipv4_src": ["10.10.0.0", "255.255.255.0"],
            },
            "actions": [],
            "cookie": 105,
            "rule": "no_direct_media",
        },
    }
