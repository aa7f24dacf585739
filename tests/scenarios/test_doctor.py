"""What a machine offers: facts become checks, checks become a report."""

import io
import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from results.schema import Run
from scenarios import doctor
from scenarios.doctor import INSTALL, Check, Facts, checks, facilities, judge, report, versions

NAMES = [
    *("python", "mininet", "mnexec", "openvswitch", "coturn", "unbound", "squid"),
    *("dumpcap", "nftables", "iproute2", "ping", "wireguard", "nat64", "netem"),
    *("namespaces", "user", "processors"),
]
TRIALS = frozenset({"namespace", "wireguard", "netem", "nftables", "datapath", "capture"})
PROGRAMS = frozenset(
    {
        *("mnexec", "ovs-vswitchd", "ovsdb-server", "turnserver", "unbound", "unbound-control"),
        *("squid", "dumpcap", "nft", "ip", "tc", "ping", "wg", "wireguard-go", "tayga"),
    }
)

#: A machine with everything.
WHOLE = Facts(
    root=True,
    processors=4,
    stolen=0.125,
    versions={
        "kernel": "6.18.44",
        "python": "3.11.2",
        "mininet": "2.3.0-1",
        "openvswitch": "3.1.0",
        "coturn": "4.6.1",
        "unbound": "1.17.1",
        "squid": "5.7",
        "tayga": "0.9.2",
        "dumpcap": "4.0.17",
        "nftables": "1.0.6",
        "iproute2": "6.1.0",
    },
    programs=PROGRAMS,
    tried=TRIALS,
    worked=TRIALS,
)


def found(facts: Facts, name: str) -> Check:
    """The check of that name."""
    return next(check for check in judge(facts) if check.name == name)


def test_a_machine_with_everything_uses_everything() -> None:
    assert [check.name for check in judge(WHOLE)] == NAMES
    assert {check.status for check in judge(WHOLE)} == {"used"}
    assert {check.mend for check in judge(WHOLE)} == {None}


def test_a_nat64_needs_tayga_and_a_device_of_user_space() -> None:
    assert found(WHOLE, "nat64").what == "tayga 0.9.2, in user space"
    without = replace(WHOLE, programs=PROGRAMS - {"tayga"})
    assert found(without, "nat64") == Check("nat64", "missing", "no tayga", INSTALL)
    barred = found(replace(WHOLE, tun=False), "nat64")
    assert barred.what == "this user may not open /dev/net/tun, as needed by tayga"


@pytest.mark.parametrize(
    ("program", "name", "what"),
    [
        ("mnexec", "mnexec", "no mnexec"),
        ("ovs-vswitchd", "openvswitch", "no ovs-vswitchd"),
        ("ovsdb-server", "openvswitch", "no ovsdb-server"),
        ("turnserver", "coturn", "no turnserver"),
        ("unbound", "unbound", "no unbound"),
        ("unbound-control", "unbound", "no unbound-control"),
        ("squid", "squid", "no squid"),
        ("dumpcap", "dumpcap", "no dumpcap"),
        ("nft", "nftables", "no nft"),
        ("tc", "iproute2", "no tc"),
        ("ping", "ping", "no ping"),
    ],
)
def test_a_missing_program_is_named_with_the_launcher(program: str, name: str, what: str) -> None:
    facts = replace(WHOLE, programs=PROGRAMS - {program})
    assert found(facts, name) == Check(name, "missing", what, "sudo ./callpath doctor")


def test_a_python_without_mininet() -> None:
    check = found(replace(WHOLE, mininet=False), "mininet")
    assert (check.status, check.mend) == ("missing", "sudo ./callpath doctor")
    assert check.what == "Python 3.11.2 has no module mininet"


def test_the_datapath_is_the_kernels_or_one_in_user_space() -> None:
    what = "3.1.0, the kernel's datapath"
    assert found(WHOLE, "openvswitch") == Check("openvswitch", "used", what)
    what = "3.1.0, userspace datapath: the kernel has none"
    without = replace(WHOLE, worked=TRIALS - {"datapath"})
    assert found(without, "openvswitch") == Check("openvswitch", "fallback", what, "vagrant up")


def test_a_dumpcap_for_a_group_only() -> None:
    facts = replace(WHOLE, programs=PROGRAMS - {"dumpcap"}, dumpcap_barred=True, user="ann")
    what = "only the group wireshark may run /usr/bin/dumpcap"
    mend = "sudo usermod -aG wireshark ann"
    assert found(facts, "dumpcap") == Check("dumpcap", "missing", what, mend)


@pytest.mark.parametrize(
    ("name", "trial", "command", "mend"),
    [
        ("nftables", "nftables", "nft add table ip callpath", "vagrant up"),
        (
            "dumpcap",
            "capture",
            "ip link set lo up && dumpcap -L -i lo",
            "sudo apt-get install --reinstall wireshark-common",
        ),
    ],
)
def test_what_is_installed_and_fails_is_missing(
    name: str, trial: str, command: str, mend: str
) -> None:
    facts = replace(WHOLE, worked=TRIALS - {trial})
    what = f"{WHOLE.versions[name]} is installed, but this fails in a namespace: {command}"
    assert found(facts, name) == Check(name, "missing", what, mend)


def test_what_was_not_tried_is_not_doubted() -> None:
    facts = replace(WHOLE, tried=TRIALS - {"capture"}, worked=TRIALS - {"capture"})
    assert found(facts, "dumpcap") == Check("dumpcap", "used", "4.0.17")


def test_wireguard_falls_back_to_user_space_or_nothing() -> None:
    without = replace(WHOLE, worked=TRIALS - {"wireguard"})
    assert found(without, "wireguard") == Check(
        "wireguard", "fallback", "wireguard-go, in user space", "vagrant up"
    )
    nothing = replace(without, programs=PROGRAMS - {"wireguard-go"})
    assert found(nothing, "wireguard").status == "missing"
    assert found(nothing, "wireguard").mend == INSTALL
    assert found(replace(WHOLE, programs=PROGRAMS - {"wg"}), "wireguard").status == "missing"


def test_wireguard_in_user_space_needs_its_device() -> None:
    barred = replace(WHOLE, worked=TRIALS - {"wireguard"}, tun=False)
    assert found(barred, "wireguard") == Check(
        "wireguard",
        "missing",
        "this user may not open /dev/net/tun, as needed by wireguard-go",
        "sudo chmod 666 /dev/net/tun",
    )


def test_firewalls_in_user_space_need_it_too() -> None:
    barred = replace(WHOLE, worked=TRIALS - {"datapath"}, tun=False)
    assert found(barred, "openvswitch") == Check(
        "openvswitch",
        "missing",
        "this user may not open /dev/net/tun, as needed by its userspace datapath",
        "sudo chmod 666 /dev/net/tun",
    )
    absent = replace(barred, programs=PROGRAMS - {"ovs-vswitchd"})
    assert found(absent, "openvswitch").mend == INSTALL
    assert found(replace(WHOLE, tun=False), "openvswitch").status == "used"


@pytest.mark.parametrize(
    ("release", "module", "mend"),
    [
        ("6.18.44", False, "vagrant up"),
        ("6.18.44", True, "sudo modprobe sch_netem"),
        ("6.8.0-45-generic", False, "sudo apt-get install linux-modules-extra-6.8.0-45-generic"),
    ],
)
def test_without_netem_links_are_impaired_in_user_space(
    release: str, module: bool, mend: str
) -> None:
    facts = replace(
        WHOLE,
        worked=TRIALS - {"netem"},
        netem_module=module,
        versions={**WHOLE.versions, "kernel": release},
    )
    assert found(facts, "netem") == Check(
        "netem", "fallback", "a delay line in user space, for impaired links", mend
    )


def test_root_without_namespaces() -> None:
    refused = "unshare: unshare failed: Operation not permitted"
    facts = replace(WHOLE, worked=frozenset(), refused=refused)
    check = found(facts, "namespaces")
    assert (check.status, check.mend) == ("missing", "docker run --privileged ...")
    assert refused in check.what
    # What could not be tried is not called broken.
    assert found(facts, "nftables").status == "used"
    assert "not tried" in found(facts, "nftables").what


@pytest.mark.parametrize(
    ("settings", "mend"),
    [
        ([], "sudo ./callpath run"),
        (
            ["kernel/unprivileged_userns_clone=0"],
            "sudo sysctl -w kernel.unprivileged_userns_clone=1",
        ),
        (
            ["user/max_user_namespaces=0", "kernel/apparmor_restrict_unprivileged_userns=1"],
            "sudo sysctl -w user.max_user_namespaces=65536"
            " && sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
        ),
        (["user/max_user_namespaces=96365"], "sudo ./callpath run"),
    ],
)
def test_a_user_without_namespaces_is_told_the_setting(
    tmp_path: Path, settings: Sequence[str], mend: str
) -> None:
    for setting in settings:
        name, value = setting.split("=")
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(value + "\n")
    barring = tuple(doctor.barring(tmp_path))
    facts = replace(WHOLE, root=False, worked=frozenset(), refused="no", barring=barring)
    check = found(facts, "namespaces")
    assert check == Check("namespaces", "missing", "ordinary users may not make them: no", mend)


def test_steal_is_told_as_a_part_of_busy_time() -> None:
    # user 30, nice 10, system 20, idle 900, iowait 50, irq 5, softirq 10, steal 25
    stat = "cpu  30 10 20 900 50 5 10 25 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n"
    assert doctor.stolen(stat) == 0.25
    assert doctor.stolen("cpu  0 0 0 900 0 0 0 0 0 0\n") == 0
    what = "4; other machines took 12% of their busy time (steal)"
    assert found(WHOLE, "processors") == Check("processors", "used", what)


def test_a_kernel_module_is_loaded_listed_or_not_there(tmp_path: Path) -> None:
    assert not doctor.kernel_has("sch_netem", tmp_path)
    folder = tmp_path / "lib/modules" / os.uname().release
    folder.mkdir(parents=True)
    (folder / "modules.dep").write_text("kernel/net/sched/sch_netem.ko.xz: x.ko\n")
    assert doctor.kernel_has("sch_netem", tmp_path)
    (tmp_path / "sys/module/loaded").mkdir(parents=True)
    assert doctor.kernel_has("loaded", tmp_path)


DPKG = b"""
Package: coturn
Status: install ok installed
Version: 4.6.1-1
Description: TURN server
 Version: not this one

Package: unbound
Status: deinstall ok config-files
Version: 1.17.1

Package: last
Version: 2
Status: hold ok installed
"""


@pytest.mark.parametrize(
    ("package", "version"),
    [("coturn", "4.6.1-1"), ("unbound", "unknown"), ("last", "2"), ("cotur", "unknown")],
)
def test_versions_come_from_dpkgs_status_file(package: str, version: str) -> None:
    assert doctor.packaged(DPKG, package) == version


def test_the_report_as_json_is_one_object_a_line() -> None:
    out = io.StringIO()
    missing = Check("coturn", "missing", "no turnserver", "sudo ./callpath doctor")
    assert report([Check("user", "used", "root"), missing], json=True, out=out) == 2
    assert [json.loads(line) for line in out.getvalue().splitlines()] == [
        {"name": "user", "status": "used", "what": "root", "mend": None},
        {
            "name": "coturn",
            "status": "missing",
            "what": "no turnserver",
            "mend": "sudo ./callpath doctor",
        },
    ]


def test_the_report_as_table_is_plain_where_it_is_no_terminal() -> None:
    out = io.StringIO()
    fallback = Check("netem", "fallback", "none: [fast] links", "vagrant up")
    assert report([fallback], json=False, out=out) == 0
    text = out.getvalue()
    assert "\x1b" not in text
    (row,) = [line for line in text.splitlines() if "netem" in line]
    assert [cell.strip() for cell in row.strip("│").split("│")] == [
        *("netem", "fallback", "none: [fast] links", "vagrant up"),
    ]


def test_this_machine_is_examined() -> None:
    examined = checks()
    assert [check.name for check in examined] == NAMES
    assert [check.name for check in examined if check.status == "missing" and not check.mend] == []


def test_the_machines_own_network_is_not_touched() -> None:
    def seen() -> list[bytes]:
        shown = [("ip", "-o", "link"), ("ip", "route"), ("tc", "qdisc")]
        return [subprocess.run(command, capture_output=True).stdout for command in shown]

    before = seen()
    checks()
    assert seen() == before


def test_a_run_folder_holds_facilities_and_versions() -> None:
    assert list(facilities()) == NAMES
    assert set(versions()) == {
        *("kernel", "python", "aiortc", "aioice", "mininet", "openvswitch", "coturn"),
        *("dumpcap", "unbound", "squid", "nftables", "iproute2", "tayga"),
    }
    assert {"versions", "facilities"} <= set(Run.model_fields)
