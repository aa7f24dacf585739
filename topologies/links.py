"""Links, addresses, routes, rules and drop counters of one host, by netlink (pyroute2).

A host's socket is opened in its network and stays there, so nobody has to enter
it again.
"""

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager

from pyroute2 import IPRoute
from pyroute2.ethtool.ioctl import EthtoolError, IoctlEthtool
from pyroute2.netlink.exceptions import NetlinkError

from topologies.namespaces import inside_network
from topologies.spec import Address, AddressOnLink, Prefix

#: Of rtnl_link_stats64 (if_link.h): what the kernel dropped, received or to be sent, for want of
#: room or of anybody who wanted it. The same three make /proc/net/dev's two columns "drop".
_DROPS = ("rx_dropped", "rx_missed_errors", "tx_dropped")


#: Of ifa_flags (if_addr.h): no duplicate address detection.
_IFA_F_NODAD = 0x02

#: Of a bridge's group_fwd_mask: what goes to 01-80-C2-00-00-0E, as canaries do.
_FORWARD_CANARIES = 1 << 0xE


class LinkError(Exception):
    """A link, address or route that could not be made. Speaks to a person."""


class Links:
    """What the kernel is told, and tells, of one host's network."""

    def __init__(self, host: str, pid: int) -> None:
        """``pid`` is a process that lives in the host's network."""
        self._host = host
        self._pid = pid
        self._indices: dict[str, int] = {}
        with inside_network(pid):
            self._netlink = IPRoute()

    def up(self, name: str, mtu: int | None = None) -> None:
        """Set an interface up, with this MTU in bytes if one is given."""
        setting = {} if mtu is None else {"mtu": mtu}
        with self._telling(f"set {name} up"):
            self._netlink.link("set", index=self._index(name), state="up", **setting)

    def add_wireguard(self, name: str) -> bool:
        """Make an interface of the kernel's WireGuard; False where the kernel has none."""
        try:
            self._netlink.link("add", ifname=name, kind="wireguard")
        except NetlinkError:
            return False
        # Captures are to show packets as WireGuard carries them: neither before segmentation
        # (GSO) nor after small ones were put together (GRO).
        with self._telling(f"have {name} show packets as they travel"):
            self._netlink.link("set", index=self._index(name), gso_max_segs=1, gro_max_size=1)
        return True

    def add_bridge(self, name: str, ports: Iterable[str]) -> None:
        """Make a bridge of these ports that canaries cross, and set it up."""
        with self._telling(f"make the bridge {name}"):
            self._netlink.link(
                "add",
                ifname=name,
                kind="bridge",
                br_stp_state=0,
                br_mcast_snooping=0,
                br_group_fwd_mask=_FORWARD_CANARIES,
            )
            for port in ports:
                self._netlink.link("set", index=self._index(port), master=self._index(name))
        self.up(name)

    def cut_segments(self, name: str) -> None:
        """Have all that leaves by an interface be frames, with checksums: no offload."""
        self._index(name)
        with (
            self._telling(f"switch off the offload of {name}"),
            inside_network(self._pid),
            closing(IoctlEthtool(name)) as device,
        ):
            device.set_offload_flag("tx-checksumming", 0)

    def add_address(self, name: str, address: AddressOnLink) -> None:
        """Give an interface an address, and with it the route to the link's prefix.

        One of IPv6 is not looked for on the link first (RFC 4862, section 5.4): it is unique.
        """
        unchecked = {"flags": _IFA_F_NODAD} if address.version == 6 else {}
        with self._telling(f"give {name} the address {address}"):
            self._netlink.addr(
                "add",
                index=self._index(name),
                address=str(address.ip),
                prefixlen=address.network.prefixlen,
                broadcast=_broadcast(address),
                **unchecked,
            )

    def add_neighbour(self, name: str, address: Address, mac: str) -> None:
        """Let the host know a neighbour's MAC address for good, so that it need not ask."""
        with self._telling(f"know {address} by {name}"):
            self._netlink.neigh(
                "replace", index=self._index(name), dst=str(address), lladdr=mac, state="permanent"
            )

    def route_via(self, to: Prefix, via: Address, table: int | None = None) -> None:
        """Route a prefix through the next hop, in this table or the main one."""
        where = {} if table is None else {"table": table}
        with self._telling(f"route {to} via {via}"):
            self._netlink.route("add", dst=str(to), gateway=str(via), **where)

    def route_into(self, to: Prefix, name: str) -> None:
        """Route a prefix into an interface, in place of the route that there may be."""
        with self._telling(f"route {to} into {name}"):
            self._netlink.route("replace", dst=str(to), oif=self._index(name), scope="link")

    def look_up_from(self, name: str, table: int) -> None:
        """Route what comes in by an interface by the table of this number."""
        with self._telling(f"look up what comes in by {name} in table {table}"):
            self._netlink.rule("add", iifname=name, table=table)

    def dropped(self) -> dict[str, int]:
        """Interface -> packets that the kernel has dropped there, in both directions."""
        links = self._netlink.get_links()
        return {
            link.get("ifname"): sum(link.get("stats64")[name] for name in _DROPS) for link in links
        }

    def _index(self, name: str) -> int:
        if name not in self._indices:
            found = self._netlink.link_lookup(ifname=name)
            if not found:
                raise LinkError(f"host {self._host} has no interface {name}")
            self._indices[name] = found[0]
        return self._indices[name]

    @contextmanager
    def _telling(self, what: str) -> Iterator[None]:
        try:
            yield
        except (NetlinkError, EthtoolError) as error:
            reason = error.args[1] if len(error.args) > 1 else error
            raise LinkError(f"host {self._host} could not {what}: {reason}") from None


def _broadcast(address: AddressOnLink) -> str | None:
    """The address of everybody on the link, where more than two can be; IPv6 has none."""
    prefix = address.network
    has_one = address.version == 4 and prefix.prefixlen < 31
    return str(prefix.broadcast_address) if has_one else None
