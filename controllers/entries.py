"""Entries of a flow table as plain data, in OpenFlow's own names.

Fields of a match bear the names of OpenFlow 1.3 (section 7.2.3.7) and of Open
vSwitch's extensions (ovs-fields(7)), addresses as text, so that an OpenFlow
library takes them as they are; only ``in_side`` stands for ports of the switch.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

ETH_TYPE_IP = 0x0800
ETH_TYPE_ARP = 0x0806
ETH_TYPE_IPV6 = 0x86DD

#: EtherTypes of IP, by its version.
ETH_TYPES_OF_IP = {4: ETH_TYPE_IP, 6: ETH_TYPE_IPV6}

#: Flags of ct_state (ovs-fields(7)).
NEW, ESTABLISHED, RELATED, INVALID, TRACKED = 0x01, 0x02, 0x04, 0x10, 0x20

#: A number or text; as a pair, value and mask.
Value = int | str | tuple[int, int] | tuple[str, str]

Match = dict[str, Value]

#: A conntrack zone is a number of 16 bits (ovs-fields(7), "ct_zone").
CtZone = Annotated[int, Field(ge=0, lt=1 << 16)]


class Data(BaseModel):
    """Base of plain data: frozen, unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Output(Data):
    """Send the packet out of the ports of a side."""

    do: Literal["output"] = "output"
    side: str


class Track(Data):
    """Look the packet's connection up in a conntrack zone, and go on in a table."""

    do: Literal["track"] = "track"
    ct_zone: CtZone
    table: int


class Commit(Data):
    """Remember the packet's connection in a conntrack zone, with a mark if there is one."""

    do: Literal["commit"] = "commit"
    ct_zone: CtZone
    ct_mark: int | None


class GoTo(Data):
    """Go on in a table."""

    do: Literal["go_to"] = "go_to"
    table: int


Step = Output | Track | Commit | GoTo


class Entry(Data):
    """One entry of the flow table; no actions means drop."""

    table: int
    priority: int
    match: Match
    actions: tuple[Step, ...]
    cookie: int
    rule: str
