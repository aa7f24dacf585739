"""Policies are read, or refused with place, value and what is allowed."""

from ipaddress import IPv4Address, IPv4Network, IPv6Network
from pathlib import Path

import pytest

from controllers.policy import Policy, PolicyError, find, load
from controllers.words import Ports

GOOD = """\
name: example
because: it is one
zones:
  lan: {side: inside, addresses: [10.10.0.0/24, 10.20.0.7]}
  relay: {side: outside, addresses: [203.0.113.9]}
  internet: {side: outside}
rules:
  - {name: turn, action: allow, from: lan, to: relay, protocol: udp, ports: [3478, 49152-65535],
     because: "media"}
  - name: no_media
    action: deny
    from: lan
    to: internet
    protocol: udp
    because: none
"""

_NARROW = "internet: {side: outside, addresses: [192.0.2.0/24]"


def refusal(folder: Path, text: str) -> str:
    """What is said of a policy, without the file's name before every line."""
    file = folder / "bad.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(PolicyError) as caught:
        load(file)
    lines = str(caught.value).splitlines()
    assert all(line.startswith(f"{file}:") for line in lines)
    return "\n".join(line.removeprefix(f"{file}:") for line in lines)


def test_a_policy_is_read(tmp_path: Path) -> None:
    file = tmp_path / "example.yaml"
    file.write_text(GOOD, encoding="utf-8")
    policy = load(file)
    assert policy.stateful
    assert policy.sides == ("inside", "outside")
    assert policy.zones["lan"].networks == (
        IPv4Network("10.10.0.0/24"),
        IPv4Network("10.20.0.7/32"),
    )
    assert policy.zones["internet"].networks == (
        IPv4Network("0.0.0.0/0"),
        IPv6Network("::/0"),
    )
    assert policy.rules[0].ports == (Ports(3478, 3478), Ports(49152, 65535))
    assert policy.rules[1].ports is None
    assert policy.because_of("turn") == "media"
    assert policy.because_of("default_deny") == "no rule allows it"


def test_a_policy_survives_json(tmp_path: Path) -> None:
    file = tmp_path / "example.yaml"
    file.write_text(GOOD, encoding="utf-8")
    policy = load(file)
    assert Policy.model_validate_json(policy.model_dump_json(by_alias=True)) == policy


def test_a_text_means_what_is_written(tmp_path: Path) -> None:
    file = tmp_path / "example.yaml"
    file.write_text(GOOD.replace("lan", "on").replace("3478", "0443"), encoding="utf-8")
    policy = load(file)
    assert policy.rules[0].from_ == "on"
    assert policy.rules[0].ports == (Ports(443, 443), Ports(49152, 65535))


@pytest.mark.parametrize(
    ("address", "sides"),
    [
        ("10.10.0.5", ("inside",)),
        ("203.0.113.9", ("outside",)),
        ("8.8.8.8", ("outside",)),
    ],
)
def test_the_narrowest_zone_tells_the_side(
    tmp_path: Path, address: str, sides: tuple[str, ...]
) -> None:
    file = tmp_path / "example.yaml"
    file.write_text(GOOD, encoding="utf-8")
    assert load(file).sides_of(IPv4Address(address)) == sides


def test_an_address_of_no_zone_is_on_no_side(tmp_path: Path) -> None:
    file = tmp_path / "example.yaml"
    file.write_text(GOOD.replace("internet: {side: outside", _NARROW), encoding="utf-8")
    assert load(file).sides_of(IPv4Address("8.8.8.8")) == ()


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        pytest.param(
            "because: it is one",
            "because: it is one\nstatefull: true",
            '3:1: unknown key "statefull" (did you mean "stateful"?); '
            "allowed: name, because, stateful, zones, rules",
            id="unknown key",
        ),
        pytest.param(
            "    protocol: udp",
            "    protocol: udp\n    port: [1]",
            '15:5: unknown key "port" (did you mean "ports"?); '
            "allowed: name, action, from, to, protocol, ports, because",
            id="unknown key of a rule",
        ),
        pytest.param(
            "{side: outside}",
            "{side: outside, x: 1}",
            '6:29: unknown key "x"; allowed: side, addresses',
            id="unknown key of a zone",
        ),
        pytest.param(
            "because: it is one",
            "because: it is one\nstateful: maybe",
            '3:11: stateful is "maybe"; allowed: true, false',
            id="stateful",
        ),
        pytest.param(
            "10.10.0.0/24",
            "10.10.0/24",
            '4:35: "10.10.0/24" is no network; '
            "allowed: one like 10.10.0.0/24 or 2001:db8:10::/48, or an address",
            id="bad CIDR",
        ),
        pytest.param(
            "10.10.0.0/24",
            "10.10.0.0/33",
            '4:35: "10.10.0.0/33" is no network; '
            "allowed: one like 10.10.0.0/24 or 2001:db8:10::/48, or an address",
            id="bad prefix length",
        ),
        pytest.param(
            "10.10.0.0/24",
            '"2001:db8::1/32"',
            '4:35: "2001:db8::1/32" has host bits set; '
            "allowed: the network 2001:db8::/32, or the address alone",
            id="host bits of IPv6",
        ),
        pytest.param(
            "10.20.0.7",
            "10.20.0.7/24",
            '4:49: "10.20.0.7/24" has host bits set; '
            "allowed: the network 10.20.0.0/24, or the address alone",
            id="host bits",
        ),
        pytest.param(
            "3478",
            "70000",
            '8:78: "70000" is not a port; allowed: 1 to 65535, or a range such as 49152-65535',
            id="port out of range",
        ),
        pytest.param(
            "3478",
            "0",
            '8:78: "0" is not a port; allowed: 1 to 65535, or a range such as 49152-65535',
            id="port zero",
        ),
        pytest.param(
            "49152-65535",
            "65535-49152",
            '8:84: "65535-49152" is not a port; '
            "allowed: 1 to 65535, or a range such as 49152-65535",
            id="range backwards",
        ),
        pytest.param(
            "3478",
            "stun",
            '8:78: "stun" is not a port; allowed: 1 to 65535, or a range such as 49152-65535',
            id="port by name",
        ),
        pytest.param(
            "[3478, 49152-65535]",
            "3478",
            '8:77: ports is "3478"; allowed: a list',
            id="ports no list",
        ),
        pytest.param(
            "[3478, 49152-65535]",
            "[]",
            "8:77: ports is empty; allowed: one value or more",
            id="no ports",
        ),
        pytest.param(
            "protocol: udp, ports",
            "protocol: icmp, ports",
            "8:78: protocol icmp has no ports; allowed with: tcp, udp",
            id="ports of icmp",
        ),
        pytest.param(
            "from: lan, to",
            "from: lam, to",
            '8:39: unknown zone "lam" (did you mean "lan"?); allowed: lan, relay, internet',
            id="unknown zone",
        ),
        pytest.param(
            "to: internet",
            "to: the internet",
            '13:9: "the internet" is not a name; '
            "allowed: small letters, digits and _, a letter first",
            id="no name",
        ),
        pytest.param(
            "  internet:",
            "  The Internet:",
            '6:3: "The Internet" is not a name; '
            "allowed: small letters, digits and _, a letter first",
            id="no name of a zone",
        ),
        pytest.param(
            "to: relay",
            "to: lan",
            '8:48: "lan" is inside like "lan"; allowed: a zone of another side',
            id="same side",
        ),
        pytest.param(
            "side: outside",
            "side: inside",
            "4:3: a firewall has two sides at least; the zones name inside\n"
            '8:48: "relay" is inside like "lan"; allowed: a zone of another side\n'
            '13:9: "internet" is inside like "lan"; allowed: a zone of another side',
            id="one side",
        ),
        pytest.param(
            "action: deny",
            "action: dney",
            '11:13: unknown action "dney" (did you mean "deny"?); allowed: allow, deny',
            id="unknown action",
        ),
        pytest.param(
            "    protocol: udp",
            "    protocol: sctp",
            '14:15: unknown protocol "sctp"; allowed: tcp, udp, icmp, any',
            id="unknown protocol",
        ),
        pytest.param(
            "    because: none\n",
            "",
            '10:5: "because" is missing; needed: name, action, from, to, protocol, because',
            id="missing because",
        ),
        pytest.param(
            "    because: none",
            "    because:",
            "15:13: because is empty; allowed: one word or more",
            id="empty because",
        ),
        pytest.param(
            "because: it is one\n",
            "",
            '1:1: "because" is missing; needed: name, because, zones, rules',
            id="missing because of the policy",
        ),
        pytest.param(
            "because: it is one",
            "because: [it, is]",
            "2:10: because is a list; allowed: text",
            id="because no text",
        ),
        pytest.param(
            "{side: outside}",
            "outside",
            '6:13: internet is "outside"; allowed: a mapping',
            id="zone no mapping",
        ),
        pytest.param(
            "name: no_media",
            "name: turn",
            '10:11: another rule is called "turn"; names are unique',
            id="duplicate name",
        ),
        pytest.param(
            "name: no_media",
            "name: default_deny",
            '10:11: "default_deny" is a rule of the house; choose another name',
            id="name of the house",
        ),
        pytest.param(
            "  relay: ",
            "  lan: ",
            '5:3: "lan" is already there, in line 4',
            id="duplicate zone",
        ),
        pytest.param(
            "because: it is one",
            "because: it: is",
            "2:12: not YAML: mapping values are not allowed here",
            id="no YAML",
        ),
        pytest.param(
            "{side: outside}",
            "{side: outside",
            "7:6: not YAML: while parsing a flow mapping, expected ',' or '}', but got ':'",
            id="brace left open",
        ),
        pytest.param(
            "because: it is one",
            "because: *name",
            "2:10: *name refers to another part of the file; write it out",
            id="alias",
        ),
        pytest.param(
            "because: it is one",
            "because: it\x07is",
            "2:12: not YAML: a control character",
            id="control character",
        ),
        pytest.param(
            "because: it is one",
            "because: it is one\n? [a]\n: b",
            "3:3: a key must be a single word",
            id="list as key",
        ),
    ],
)
def test_a_refusal_says_where_what_and_what_is_allowed(
    tmp_path: Path, right: str, wrong: str, said: str
) -> None:
    assert right in GOOD
    assert refusal(tmp_path, GOOD.replace(right, wrong)) == said


def test_all_problems_are_told_in_the_order_of_the_file(tmp_path: Path) -> None:
    wrong = GOOD.replace("3478", "x").replace("10.20.0.7", "y").replace("action: deny", "acton: no")
    assert refusal(tmp_path, wrong).splitlines() == [
        '4:49: "y" is no network; '
        "allowed: one like 10.10.0.0/24 or 2001:db8:10::/48, or an address",
        '8:78: "x" is not a port; allowed: 1 to 65535, or a range such as 49152-65535',
        '10:5: "action" is missing; needed: name, action, from, to, protocol, because',
        '11:5: unknown key "acton" (did you mean "action"?); '
        "allowed: name, action, from, to, protocol, ports, because",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "1:1: the file is empty"),
        ("- a", "1:1: the policy is a list; allowed: a mapping"),
        (
            "a: b\n--- \nc: d",
            "2:1: not YAML: expected a single document in the stream, but found another document",
        ),
    ],
)
def test_what_is_no_policy_at_all(tmp_path: Path, text: str, said: str) -> None:
    assert refusal(tmp_path, text) == said


def test_zones_of_different_families_have_no_packets_in_common(tmp_path: Path) -> None:
    wrong = GOOD.replace("[10.10.0.0/24, 10.20.0.7]", '["2001:db8:10::/48"]')
    wrong = wrong.replace("{side: outside}", "{side: outside, addresses: [203.0.113.0/24]}")
    assert "2001:db8:10::" in wrong
    assert refusal(tmp_path, wrong).splitlines() == [
        f'{line}: "lan" and "{zone}" have addresses of different families; '
        "allowed: zones that share IPv4 or IPv6"
        for line, zone in (("8:48", "relay"), ("13:9", "internet"))
    ]


def test_what_cannot_be_read_at_all(tmp_path: Path) -> None:
    file = tmp_path / "none.yaml"
    with pytest.raises(PolicyError) as caught:
        load(file)
    assert str(caught.value) == f"{file}: No such file or directory"
    file.write_bytes(b"name: \xff")
    with pytest.raises(PolicyError) as caught:
        load(file)
    assert str(caught.value) == f"{file}: byte 6 is not UTF-8 text"


def test_a_policy_is_found_by_name_or_path() -> None:
    assert load(find("service_only")).name == "service_only"
    assert find("mine/own.yaml") == Path("mine/own.yaml")
    with pytest.raises(PolicyError) as caught:
        find("service_onyl")
    assert str(caught.value).startswith(
        'unknown policy "service_onyl" (did you mean "service_only"?); allowed: both_ipv4_media, '
    )
    assert str(caught.value).endswith(", vpn_open, or the path of a .yaml file")
