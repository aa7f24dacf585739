"""The OpenFlow app: installs the policies' flow tables in the switches that connect.

A thin shim: what passes was decided by :mod:`controllers.flowtable`. It needs
nothing but OS-Ken and runs, unchanged, on Ryu 4.34; the only importer of either.

Run as ``python -m controllers.firewall CONFIG``. CONFIG is a JSON file with a
list ``firewalls``, each with its ``name``, the ``datapath_id`` of its switch, the
port numbers of its ``sides``, and its ``entries`` (:mod:`controllers.entries`).
It says ``{"event": "installed", "firewall": NAME}`` when a switch has taken its
whole table.
"""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

try:
    from os_ken.base.app_manager import AppManager
    from os_ken.base.app_manager import OSKenApp as App
    from os_ken.controller import ofp_event
    from os_ken.controller.handler import CONFIG_DISPATCHER, MAIN_DISPATCHER, set_ev_cls
    from os_ken.ofproto import ofproto_v1_3
except ModuleNotFoundError:
    # Ryu looks for an attribute that eventlet has dropped since; any value will do.
    import eventlet.wsgi

    eventlet.wsgi.ALREADY_HANDLED = object()
    from ryu.base.app_manager import AppManager
    from ryu.base.app_manager import RyuApp as App
    from ryu.controller import ofp_event
    from ryu.controller.handler import CONFIG_DISPATCHER, MAIN_DISPATCHER, set_ev_cls
    from ryu.ofproto import ofproto_v1_3

#: A firewall, or an entry, as JSON has it.
Plain = dict[str, Any]


class Firewalls(App):  # type: ignore[misc]
    """Gives every switch that connects the table of its firewall."""

    OFP_VERSIONS = (ofproto_v1_3.OFP_VERSION,)

    def __init__(self, *arguments: object, **named: object) -> None:
        super().__init__(*arguments, **named)
        config = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
        self._firewalls: dict[int, Plain] = {f["datapath_id"]: f for f in config["firewalls"]}

    @set_ev_cls(ofp_event.EventOFPSwitchFeatures, CONFIG_DISPATCHER)  # type: ignore[untyped-decorator]
    def install(self, event: Any) -> None:  # noqa: ANN401 - the library has no types
        """A switch connected: empty its tables, fill them, and ask when it is done."""
        switch = event.msg.datapath
        firewall = self._firewalls[switch.id]
        switch.send_msg(_delete_all(switch))
        for entry in firewall["entries"]:
            for match in matches(entry["match"], firewall["sides"]):
                switch.send_msg(_flow_mod(switch, entry, match, firewall["sides"]))
        switch.send_msg(switch.ofproto_parser.OFPBarrierRequest(switch))

    @set_ev_cls(ofp_event.EventOFPBarrierReply, [CONFIG_DISPATCHER, MAIN_DISPATCHER])  # type: ignore[untyped-decorator]
    def installed(self, event: Any) -> None:  # noqa: ANN401 - the library has no types
        """The switch has handled all that came before the barrier (OpenFlow 1.3, 6.2)."""
        _say("installed", firewall=self._firewalls[event.msg.datapath.id]["name"])

    @set_ev_cls(ofp_event.EventOFPErrorMsg, [CONFIG_DISPATCHER, MAIN_DISPATCHER])  # type: ignore[untyped-decorator]
    def refused(self, event: Any) -> None:  # noqa: ANN401 - the library has no types
        """A switch that takes only a part of the table would enforce another policy."""
        name = self._firewalls[event.msg.datapath.id]["name"]
        _say("refused", firewall=name, type=event.msg.type, code=event.msg.code)


def matches(match: Plain, sides: dict[str, list[int]]) -> Iterator[Plain]:
    """The match in the library's terms: a side becomes each of its ports."""
    fields = {name: _value(value) for name, value in match.items() if name != "in_side"}
    if "in_side" not in match:
        yield fields
        return
    for port in sides[match["in_side"]]:
        yield {"in_port": port, **fields}


def _value(value: Any) -> Any:  # noqa: ANN401 - a number, text, or a pair of them
    return tuple(value) if isinstance(value, list) else value


def _flow_mod(switch: Any, entry: Plain, match: Plain, sides: dict[str, list[int]]) -> Any:  # noqa: ANN401
    parser = switch.ofproto_parser
    return parser.OFPFlowMod(
        datapath=switch,
        table_id=entry["table"],
        priority=entry["priority"],
        cookie=entry["cookie"],
        match=parser.OFPMatch(**match),
        instructions=_instructions(switch, entry["actions"], sides),
    )


def _instructions(switch: Any, steps: list[Plain], sides: dict[str, list[int]]) -> list[Any]:  # noqa: ANN401
    """No instruction means drop (OpenFlow 1.3, section 5.9)."""
    parser = switch.ofproto_parser
    tables = [step["table"] for step in steps if step["do"] == "go_to"]
    actions = [a for step in steps if step["do"] != "go_to" for a in _actions(switch, step, sides)]
    instructions = [parser.OFPInstructionGotoTable(table) for table in tables]
    if actions:
        apply = switch.ofproto.OFPIT_APPLY_ACTIONS
        instructions.append(parser.OFPInstructionActions(apply, actions))
    return instructions


def _actions(switch: Any, step: Plain, sides: dict[str, list[int]]) -> list[Any]:  # noqa: ANN401
    parser = switch.ofproto_parser
    if step["do"] == "output":
        return [parser.OFPActionOutput(port) for port in sides[step["side"]]]
    if step["do"] == "track":
        return [_ct(parser, step["ct_zone"], step["table"], flags=0)]
    mark = step["ct_mark"]
    nested = [] if mark is None else [parser.OFPActionSetField(ct_mark=mark)]
    return [_ct(parser, step["ct_zone"], _NO_TABLE, flags=_COMMIT, actions=nested)]


#: NX_CT_F_COMMIT, and the table number that means "go on here" (ovs-actions(7), "ct").
_COMMIT, _NO_TABLE = 1, 255


def _ct(parser: Any, zone: int, table: int, flags: int, actions: list[Any] | None = None) -> Any:  # noqa: ANN401
    return parser.NXActionCT(
        flags=flags,
        zone_src="",
        zone_ofs_nbits=zone,
        recirc_table=table,
        alg=0,
        actions=actions or [],
    )


def _delete_all(switch: Any) -> Any:  # noqa: ANN401 - the library has no types
    ofproto, parser = switch.ofproto, switch.ofproto_parser
    return parser.OFPFlowMod(
        datapath=switch,
        command=ofproto.OFPFC_DELETE,
        table_id=ofproto.OFPTT_ALL,
        out_port=ofproto.OFPP_ANY,
        out_group=ofproto.OFPG_ANY,
        match=parser.OFPMatch(),
    )


def _say(event: str, **values: object) -> None:
    sys.stdout.write(json.dumps({"event": event, "time": time.time(), **values}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    # The module that the manager loads, and not this one, is the app.
    AppManager.run_apps(["controllers.firewall"])
