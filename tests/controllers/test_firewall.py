"""The shim's translation of plain data into the library's terms."""

from controllers.firewall import matches


def test_a_side_becomes_each_of_its_ports() -> None:
    match = {"in_side": "inside", "eth_type": 0x0800}
    assert list(matches(match, {"inside": [1, 3], "outside": [2]})) == [
        {"in_port": 1, "eth_type": 0x0800},
        {"in_port": 3, "eth_type": 0x0800},
    ]


def test_a_match_without_a_side_holds_for_all_ports() -> None:
    assert list(matches({}, {"inside": [1]})) == [{}]


def test_value_and_mask_come_as_a_pair_again() -> None:
    match = {"ct_state": [33, 33], "ipv4_src": ["10.0.0.0", "255.0.0.0"], "udp_dst": 53}
    assert list(matches(match, {})) == [
        {"ct_state": (33, 33), "ipv4_src": ("10.0.0.0", "255.0.0.0"), "udp_dst": 53}
    ]
