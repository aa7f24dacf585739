"""The launcher, with every program that it may start replaced by one that takes notes."""

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.launched import BROWSER, CLI, JUDGE, PIP, PROBES, TOOLS, Machine


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users can enter, as pytest's own is not."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_the_first_call_makes_an_environment_and_installs(machine: Machine) -> None:
    start = machine.start("run", "intranet")
    assert start.code == 0
    assert start.err == (
        f"callpath: making the virtual environment {machine.venv}\n"
        "callpath: installing Python packages, about a minute\n"
    )
    notes = [note for note in machine.notes() if not note.startswith("python -I -c")]
    assert notes == [
        f"python -I -m venv --system-site-packages {machine.venv}",
        PIP + ".",
        "python -I -m compileall -q topologies controllers agents scenarios results",
        CLI + "run intranet",
    ]


def test_when_all_is_there_only_python_is_started(machine: Machine) -> None:
    machine.installed().remove("id", *TOOLS)
    start = machine.start("run")
    assert (start.code, start.err) == (0, "")
    assert machine.notes() == [CLI + "run"]


def test_the_launcher_becomes_python(machine: Machine) -> None:
    start = machine.installed().start("list")
    assert start.out[0] == str(start.pid)


def test_missing_packages_are_named_with_the_command_that_installs_them(machine: Machine) -> None:
    machine.remove("mnexec", "turnserver")
    start = machine.start("run")
    assert start.code == 2
    assert start.err == (
        "callpath: these Debian packages are missing: mininet coturn\n"
        f"callpath: only root can install them; run: sudo {machine.top}/callpath doctor\n"
    )
    assert not machine.venv.exists()


@pytest.mark.parametrize("program", PROBES)
def test_every_package_is_told_by_a_program(machine: Machine, program: str) -> None:
    machine.installed().remove(program)
    assert f"missing: {PROBES[program]}\n" in machine.start("run").err


def test_the_command_to_type_is_quoted_where_the_path_has_spaces(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "my checkout")
    machine.remove("nft")
    assert f"run: sudo '{machine.top}/callpath' doctor\n" in machine.start("run").err


@pytest.mark.parametrize("arguments", [["list"], ["judge", "x"], ["run", "--help"], ["doctor"], []])
def test_who_only_reads_needs_no_debian_packages(machine: Machine, arguments: list[str]) -> None:
    machine.remove("mnexec", "nft")
    assert machine.start(*arguments).code == 0


def test_without_debians_python_its_packages_are_named(machine: Machine) -> None:
    (machine.folder / "python3").unlink()
    start = machine.start("list")
    assert start.code == 2
    assert "these Debian packages are missing: python3 python3-venv\n" in start.err


def test_a_python_earlier_on_path_is_not_used(machine: Machine) -> None:
    for name in ("python3", "python"):
        (machine.bin / name).write_text("#!/bin/sh\necho other python\nexit 9\n")
        (machine.bin / name).chmod(0o755)
    start = machine.start("run")
    assert start.code == 0
    assert "other python" not in start.out


def test_an_unchanged_setup_with_another_time_is_not_installed_again(machine: Machine) -> None:
    machine.installed()
    os.utime(machine.top / "setup.cfg")
    assert machine.start("run").code == 0
    assert PIP + "." not in machine.notes()
    # It was compared once; from now on its time tells.
    machine.remove("cmp")
    assert machine.start("run").code == 0
    assert machine.notes() == [CLI + "run"]


@pytest.mark.parametrize("shift", [-1_000_000, 1_000_000], ids=["older", "newer"])
def test_a_changed_setup_is_installed_again(machine: Machine, shift: int) -> None:
    machine.installed()
    setup = machine.top / "setup.cfg"
    now = setup.stat().st_mtime_ns
    setup.write_text("[metadata]\nname = callpath\n")
    os.utime(setup, ns=(now + shift, now + shift))
    start = machine.start("run")
    assert start.err == "callpath: installing Python packages, about a minute\n"
    assert PIP + "." in machine.notes()


def test_a_copied_checkout_is_installed_for_itself(machine: Machine, tmp_path: Path) -> None:
    machine.installed()
    copy = tmp_path / "copy"
    shutil.copytree(machine.top, copy)  # with its times
    assert machine.start("run", by=[str(copy / "callpath")]).code == 0
    assert PIP + "." in machine.notes()


@pytest.mark.parametrize(
    ("verb", "ci", "what"),
    [
        ("test", "", ".[test]"),
        ("run", "true", ".[test]"),
        ("run", "false", "."),
    ],
)
def test_the_test_extra_is_for_tests_and_ci(
    machine: Machine, verb: str, ci: str, what: str
) -> None:
    assert machine.start(verb, CI=ci).code == 0
    assert PIP + what in machine.notes()


def test_the_test_extra_is_added_to_what_is_there(machine: Machine) -> None:
    machine.installed()
    assert machine.start("test").code == 0
    notes = machine.notes()
    assert PIP + ".[test]" in notes
    assert not [note for note in notes if "-m venv" in note]
    assert machine.start("test").code == 0
    assert machine.start("run").code == 0
    assert machine.notes() == [CLI + "test", CLI + "run"]


def test_a_failed_installation_shows_why_and_heals(machine: Machine) -> None:
    machine.fail("pip")
    start = machine.start("run")
    assert start.code == 2
    log = machine.venv / "install.log"
    assert start.err.endswith(
        f"    no such wheel\ncallpath: pip failed (above: the end of {log})\n"
    )
    machine.fail("pip", fails=False)
    start = machine.start("run")
    assert start.code == 0
    assert "making the virtual environment" in start.err


def test_a_broken_environment_is_made_anew(machine: Machine) -> None:
    machine.installed()
    (machine.venv / "bin" / "python").unlink()
    (machine.venv / "bin" / "python").symlink_to("/usr/bin/python3.4")
    start = machine.start("run")
    assert start.code == 0
    assert "making the virtual environment" in start.err


def test_an_environment_that_does_not_see_mininet_is_made_anew(machine: Machine) -> None:
    machine.installed()
    (machine.venv / "callpath.run").unlink()
    (machine.venv / "pyvenv.cfg").write_text("include-system-site-packages = false\n")
    assert "making the virtual environment" in machine.start("run").err


def test_a_second_launcher_waits_for_the_first(machine: Machine) -> None:
    machine.venv.mkdir()
    with (machine.venv / "callpath.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        process = subprocess.Popen(
            [machine.top / "callpath", "run"],
            env={"PATH": str(machine.bin)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr is not None
        first = process.stderr.readline()
    process.communicate(timeout=30)
    assert first == "callpath: another callpath is installing; waiting for it\n"
    assert process.returncode == 0


def test_the_callers_folder_is_kept(machine: Machine, tmp_path: Path) -> None:
    elsewhere = tmp_path / "else where"
    elsewhere.mkdir()
    start = machine.start("run", "./a b.py", cwd=elsewhere)
    assert start.out[1] == str(elsewhere)
    assert machine.notes()[-1] == CLI + "run ./a b.py"


def test_it_is_found_through_links_and_odd_paths(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "my checkout")
    (machine.bin / "link").symlink_to("../my checkout/callpath")
    (machine.top / "scenarios").mkdir()
    machine.installed()
    calls: list[tuple[list[str], Path]] = [
        (["link"], tmp_path),
        (["./callpath"], machine.top),
        (["/bin/sh", "callpath"], machine.top),
        (["./scenarios/../callpath"], machine.top),
        (["../callpath"], machine.top / "scenarios"),
    ]
    for by, cwd in calls:
        start = machine.start("list", by=["env", *by], cwd=cwd, CDPATH=str(tmp_path))
        assert (start.code, start.err) == (0, ""), by
    assert machine.notes() == [CLI + "list"] * len(calls)


def test_the_environment_that_a_run_wants(machine: Machine) -> None:
    start = machine.start("run")
    _, _, bytecode, threads, path = start.out
    assert bytecode == ""
    assert threads == "1"
    assert path == f"{machine.bin}:{machine.folder}/sbin"


@pytest.mark.skipif(os.geteuid() != 0, reason="gives files to another user")
def test_root_leaves_no_bytecode_in_a_users_checkout(machine: Machine) -> None:
    machine.installed()
    os.chown(machine.venv / "callpath.run", 1000, 1000)
    assert machine.start("run").out[2] == "1"


def test_under_sudo_the_environment_is_made_by_the_caller(machine: Machine) -> None:
    machine.user(0)
    machine.place("getent", "#!/bin/sh\necho ann:x:1000:1000::/home/ann:/bin/sh\n")
    machine.place(
        "setpriv",
        '#!/bin/sh\necho "setpriv $*" >>\'{notes}\'\nwhile [ "$1" != env ]; do shift; done\n'
        'exec "$@"\n',
    )
    assert machine.start("run", SUDO_UID="1000", SUDO_GID="1001").code == 0
    as_ann = "setpriv --reuid 1000 --regid 1001 --init-groups env HOME=/home/ann "
    python = f"env -C {machine.top} {machine.venv}/bin/python"
    notes = machine.notes()
    assert as_ann + PIP.replace("python", python, 1) + "." in notes
    assert f"{as_ann}mv {machine.venv}/callpath.new {machine.venv}/callpath.run" in notes


def test_a_checkout_that_cannot_be_written_is_said_so(open_folder: Path) -> None:
    machine = Machine(open_folder)
    machine.top.chmod(0o555)
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    by = [*(nobody if os.geteuid() == 0 else []), str(machine.top / "callpath")]
    by[0] = shutil.which(by[0]) or by[0]
    start = machine.start("run", by=by)
    machine.top.chmod(0o755)
    assert start.code == 2
    assert start.err.endswith(
        f"callpath: Python packages go to {machine.venv}; "
        "call as the checkout's owner, or clone one of your own\n"
    )


def test_root_installs_packages_whose_services_stay_off(machine: Machine) -> None:
    machine.debian()
    start = machine.start("run")
    assert start.code == 0
    wanted = " ".join(PROBES.values())
    assert f"callpath: installing Debian packages, about a minute: {wanted}\n" in start.err
    apt = "apt-get -q -y -o DPkg::Lock::Timeout=600 "
    disabled = [
        note
        for package in ("openvswitch-switch", "uuid-runtime", "coturn", "unbound", "squid", "tayga")
        for note in (f"systemctl disable {package}.service", f"update-rc.d {package} disable")
    ]
    notes = machine.notes()
    assert [note for note in notes if "systemctl stop" not in note and "python" not in note] == [
        f"{apt}update",
        f"{apt}--fix-broken --no-remove --no-install-recommends install {wanted}",
        "#!/bin/sh",
        "# callpath: nothing starts while it installs",
        "exit 101",
        f"{apt}check",
        *disabled,
    ]
    assert not machine.policy.exists()
    assert not machine.journal.exists()


def test_the_machines_own_policy_for_services_is_left_alone(machine: Machine) -> None:
    machine.debian()
    machine.policy.write_text("#!/bin/sh\nexit 0\n")
    assert machine.start("run").code == 0
    assert machine.policy.read_text() == "#!/bin/sh\nexit 0\n"


def test_services_that_were_there_before_are_left_alone(machine: Machine) -> None:
    machine.debian()
    machine.place("dpkg-query", "#!/bin/sh\necho installed\n")
    assert machine.start("run").code == 0
    assert not [note for note in machine.notes() if note.startswith("systemctl")]


def test_when_apt_fails_nothing_is_left_behind(machine: Machine) -> None:
    machine.debian()
    machine.fail("apt")
    start = machine.start("run")
    assert start.code == 2
    assert "    mirror is away\n" in start.err
    assert "callpath: apt-get failed (above: the end of " in start.err
    assert not machine.policy.exists()
    assert not machine.journal.exists()
    machine.fail("apt", fails=False)
    assert machine.start("run").code == 0


def test_an_installation_that_was_killed_is_ended_and_its_services_disabled(
    machine: Machine,
) -> None:
    machine.debian()
    machine.install(*PROBES)
    machine.place("dpkg-query", "#!/bin/sh\necho installed\n")
    machine.journal.write_text("coturn\n")
    machine.policy.write_text("#!/bin/sh\n# callpath: nothing starts while it installs\n")
    assert machine.start("run").code == 0
    notes = machine.notes()
    assert "systemctl disable coturn.service" in notes
    assert "systemctl disable unbound.service" not in notes
    assert not machine.policy.exists()
    assert not machine.journal.exists()


def test_roots_tests_get_a_browser_and_another_reader_of_captures(machine: Machine) -> None:
    machine.debian()
    assert machine.start("run").code == 0
    assert not any(one in note for note in machine.notes() for one in (BROWSER, JUDGE))
    machine.remove(BROWSER, JUDGE)
    assert machine.start("test").code == 0
    notes = machine.notes()
    assert any(note.endswith(f"install {JUDGE} {BROWSER}") for note in notes)
    assert machine.start("test").code == 0
    assert not any("apt-get" in note for note in machine.notes())


def test_where_there_is_no_such_browser_tests_do_without(machine: Machine) -> None:
    machine.debian()
    machine.place("apt-cache", "#!/bin/sh\necho {notes} >/dev/null\nexit 100\n")
    start = machine.start("test")
    assert start.code == 0
    assert f"there is no package {BROWSER} here" in start.err
    machine.remove(BROWSER)
    machine.notes()
    assert machine.start("test").code == 0
    assert not any("apt-get" in note for note in machine.notes())


def test_an_ordinary_user_is_not_asked_for_a_browser(machine: Machine) -> None:
    assert machine.start("test").code == 0
