"""A machine on which every program that the launcher may start only takes notes."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

LAUNCHER = Path(__file__).parent.parent / "callpath"

PROBES = {
    "mnexec": "mininet",
    "ovs-vswitchd": "openvswitch-switch",
    "turnserver": "coturn",
    "dumpcap": "wireshark-common",
    "unbound": "unbound",
    "nft": "nftables",
    "wg": "wireguard-tools",
    "wireguard-go": "wireguard-go",
    "tayga": "tayga",
    "ip": "iproute2",
    "ping": "iputils-ping",
    "unshare": "util-linux",
    "mount": "mount",
    "ps": "procps",
    "squid": "squid",
}

BROWSER = "chromium-headless-shell"
JUDGE = "tshark"

#: What the launcher may start of the machine's own while it installs.
TOOLS = (
    *("cat", "chmod", "cmp", "cp", "cut", "env", "find", "flock", "grep", "mkdir", "mv"),
    *("readlink", "rm", "sed", "tail", "tee", "test", "touch"),
)

#: Notes its arguments; makes environments and fails at pip when told so.
PYTHON = """#!/bin/sh
echo "python $*" >>'{notes}'
case "$*" in
    *"-m venv "*)
        for folder; do :; done
        mkdir -p "$folder/bin"
        cp "$0" "$folder/bin/python"
        echo 'include-system-site-packages = true' >"$folder/pyvenv.cfg" ;;
    *"-m pip "*)
        if [ -e '{pip_fails}' ]; then echo "no such wheel" >&2; exit 1; fi ;;
    *scenarios.cli*)
        printf '%s\\n' "$$" "$PWD" "${{PYTHONDONTWRITEBYTECODE-}}" "$OPENBLAS_NUM_THREADS" \\
            "$PATH" ;;
esac
"""

#: "Installs" the programs of the packages asked for; the policy that it meets is noted.
APT_GET = """#!/bin/sh
echo "apt-get $*" >>'{notes}'
case "$*" in
    *" install "*)
        cat '{policy}' >>'{notes}'
        if [ -e '{apt_fails}' ]; then echo "mirror is away" >&2; exit 100; fi
        for program in {programs}; do
            echo '#!/bin/sh' >'{bin}'/$program
            chmod +x '{bin}'/$program
        done ;;
esac
"""

PIP = (
    "python -I -m pip install --disable-pip-version-check --no-input --no-user --progress-bar off "
    "--config-settings editable_mode=compat --editable "
)
CLI = "python -sP -m scenarios.cli "


@dataclass(frozen=True)
class Start:
    """What a launcher's start came to."""

    code: int
    out: list[str]
    err: str
    pid: int


class Machine:
    """A machine of stand-ins: a checkout, a Python, packages there or not, a user."""

    def __init__(self, folder: Path, name: str = "checkout") -> None:
        self.folder = folder
        self.bin = folder / "bin"
        self.top = folder / name
        self.venv = self.top / ".venv"
        self.journal = folder / "journal"
        self.policy = folder / "policy-rc.d"
        self._notes = folder / "notes"
        self.bin.mkdir()
        self.top.mkdir()
        (self.top / "setup.cfg").write_text("[metadata]\n")
        self._copy_launcher()
        self.place("python", PYTHON, folder / "python3")
        for tool in TOOLS:
            (self.bin / tool).symlink_to(shutil.which(tool) or tool)
        self.user(1000)
        self.install(*PROBES)

    def _copy_launcher(self) -> None:
        text = LAUNCHER.read_text()
        stand_ins = {
            "system_python=/usr/bin/python3": f"system_python='{self.folder}/python3'",
            "system_path=/usr/local/sbin:/usr/sbin:/sbin": f"system_path='{self.folder}/sbin'",
            "journal=/var/lib/misc/callpath.services": f"journal='{self.journal}'",
            "policy=/usr/sbin/policy-rc.d": f"policy='{self.policy}'",
            "package_lock=/run/callpath.lock": f"package_lock='{self.folder}/lock'",
            "roots_own=/usr/bin # root can write there, nobody else": (
                f"roots_own='{self.folder}/roots_own'"
            ),
        }
        for own, stand_in in stand_ins.items():
            assert text.count(f"\n{own}\n") == 1, own
            text = text.replace(f"\n{own}\n", f"\n{stand_in}\n")
        (self.top / "callpath").write_text(text)
        (self.top / "callpath").chmod(0o755)

    def place(self, name: str, text: str, where: Path | None = None) -> None:
        """Have a program, which may note what it is asked."""
        path = where or self.bin / name
        values = {
            "notes": self._notes,
            "policy": self.policy,
            "bin": self.bin,
            "pip_fails": self.folder / "pip_fails",
            "apt_fails": self.folder / "apt_fails",
            "programs": " ".join((*PROBES, BROWSER, JUDGE)),
        }
        path.write_text(text.format(**values))
        path.chmod(0o755)

    def install(self, *programs: str) -> None:
        """Have the programs on PATH."""
        for program in programs:
            self.place(program, "#!/bin/sh\necho {notes} >/dev/null\n")

    def remove(self, *programs: str) -> None:
        """Have the programs not."""
        for program in programs:
            (self.bin / program).unlink()

    def user(self, uid: int) -> None:
        """Who calls."""
        self.place("id", f"#!/bin/sh\necho {uid}\n")

    def debian(self) -> None:
        """Have root, apt-get, dpkg and systemd; no package is installed."""
        self.user(0)
        (self.folder / "roots_own").mkdir()
        self.remove(*PROBES)
        self.place("apt-get", APT_GET)
        listing = "/lib/systemd/system/$2.service /etc/init.d/$2"
        self.place("dpkg", f"#!/bin/sh\n[ \"$1\" != -L ] || printf '%s\\n' {listing}\n")
        self.place("dpkg-query", "#!/bin/sh\nexit 1\n")
        self.place("apt-cache", "#!/bin/sh\necho \"apt-cache $*\" >>'{notes}'\n")
        for program in ("systemctl", "update-rc.d"):
            self.place(program, f"#!/bin/sh\necho \"{program} $*\" >>'{{notes}}'\n")

    def fail(self, what: str, fails: bool = True) -> None:
        """Make pip or apt fail from now on, or not any more."""
        path = self.folder / f"{what}_fails"
        path.touch() if fails else path.unlink()

    def start(
        self, *arguments: str, by: list[str] | None = None, cwd: Path | None = None, **env: str
    ) -> Start:
        """Call the launcher."""
        process = subprocess.Popen(
            [*(by or [str(self.top / "callpath")]), *arguments],
            cwd=cwd or self.folder,
            env={"PATH": str(self.bin), **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        out, err = process.communicate(timeout=30)
        return Start(process.returncode, out.splitlines(), err, process.pid)

    def notes(self) -> list[str]:
        """What the stand-ins noted since the last look."""
        lines = self._notes.read_text().splitlines() if self._notes.exists() else []
        self._notes.unlink(missing_ok=True)
        return lines

    def installed(self) -> "Machine":
        """The machine after a first call."""
        assert self.start("run").code == 0
        self.notes()
        return self
