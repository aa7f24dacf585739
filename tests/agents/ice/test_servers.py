"""The ways to a relay that URIs and a proxy give, in the order in which they are tried."""

from agents.ice.servers import Proxy
from tests.agents.ice.told import URLS, servers

_PROXY = Proxy("10.10.0.80", 3128)


def test_ways_keep_the_order_of_the_uris() -> None:
    assert [str(way) for way in servers().ways(4)] == [
        "udp to relay.service.example:3478",
        "tcp to relay.service.example:443",
        "tls to relay.service.example:443",
    ]


def test_what_is_tls_can_go_through_the_proxy_when_all_else_was_tried() -> None:
    assert [str(way) for way in servers(*URLS, proxy=_PROXY).ways(4)][3:] == [
        "tls to relay.service.example:443 through http://10.10.0.80:3128"
    ]


def test_a_proxy_is_reached_over_its_own_version_of_ip_alone() -> None:
    six = Proxy("2001:db8:10::80", 3128)
    assert len(servers(*URLS, proxy=_PROXY).ways(6)) == 3
    assert len(servers(*URLS, proxy=six).ways(4)) == 3
    assert [str(way) for way in servers(*URLS, proxy=six).ways(6)][3:] == [
        "tls to relay.service.example:443 through http://[2001:db8:10::80]:3128"
    ]


def test_without_tls_nothing_goes_through_the_proxy() -> None:
    assert [way.proxy for way in servers(*URLS[:3], proxy=_PROXY).ways(4)] == [None, None]


def test_stun_is_the_first_such_uri() -> None:
    assert servers().stun == ("relay.service.example", 3478)
    assert servers("turn:other:3478?transport=udp").stun is None
