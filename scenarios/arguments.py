"""The arguments of commands, each added by a function of its own."""

import argparse
import math
import shutil
from pathlib import Path

from scenarios import completion

_SCENARIO = "a scenario, or the path of a .py file"
_POLICY = "a shipped policy by name, or the path of a .yaml file"
_FOLDER = "a folder that run has written, as its last column names it"


def json(parser: argparse.ArgumentParser) -> None:
    """Output for machines."""
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def output(parser: argparse.ArgumentParser) -> None:
    """How results are told: a table, unless one of these is asked for."""
    ways = parser.add_mutually_exclusive_group()
    ways.add_argument(
        "-q", "--quiet", action="store_true", help="one line a run: verdict, scenario, folder"
    )
    ways.add_argument(
        "--json", action="store_true", help="one JSON object a line: results/result.schema.json"
    )
    ways.add_argument(
        "--frames",
        action="store_true",
        help="also the frames that the verdict rests on, each with its capture",
    )
    ways.add_argument(
        "--quality",
        action="store_true",
        help="also loss, delay and jitter of the media, for each direction and hop",
    )


def summaries(parser: argparse.ArgumentParser) -> None:
    """Files that tell of all runs at once, besides what is printed."""
    parser.add_argument(
        "--markdown",
        metavar="FILE",
        type=_file,
        help="write the results as Markdown; to the file of $GITHUB_STEP_SUMMARY they are added",
    )
    parser.add_argument(
        "--junit", metavar="FILE", type=_file, help="write the results as JUnit XML"
    )


def runs(parser: argparse.ArgumentParser) -> None:
    """Where a command writes."""
    parser.add_argument(
        "--runs", metavar="FOLDER", help="where run folders are written (default: results/runs)"
    )


def scenario(parser: argparse.ArgumentParser) -> None:
    """The scenario that the command is about."""
    completion.offer_scenarios(parser.add_argument("name", metavar="NAME", help=_SCENARIO))


def scenarios(parser: argparse.ArgumentParser) -> None:
    """Any number of scenarios."""
    names = parser.add_argument("names", metavar="NAME", nargs="*", help=_SCENARIO)
    completion.offer_scenarios(names)


def policy(parser: argparse.ArgumentParser) -> None:
    """Policies other than the scenario's."""
    parser.add_argument(
        "--policy",
        metavar="FIREWALL=POLICY",
        action="append",
        default=[],
        type=_policy_change,
        help=f"have a firewall enforce another policy: {_POLICY}; may be given several times",
    )


def policies_to_compare(parser: argparse.ArgumentParser) -> None:
    """The policies of ``whatif``."""
    parser.add_argument(
        "--policy",
        metavar="FIREWALL=POLICY",
        action="append",
        required=True,
        type=_policy_change,
        help=f"what a firewall enforces in one of the runs: {_POLICY}; "
        "give it at least twice, the others are compared with the first",
    )


def controller_python(parser: argparse.ArgumentParser) -> None:
    """The interpreter of the OpenFlow controller."""
    parser.add_argument(
        "--controller-python",
        metavar="PYTHON",
        type=_program,
        help="run the firewalls' controller on this interpreter, for instance one that has Ryu",
    )


def folders(parser: argparse.ArgumentParser) -> None:
    """Stored runs, at least one."""
    _folders(parser, "+")


def two_folders(parser: argparse.ArgumentParser) -> None:
    """Two stored runs."""
    _folders(parser, 2)


def captures(parser: argparse.ArgumentParser) -> None:
    """Anyone's captures."""
    parser.add_argument("files", metavar="FILE", nargs="+", help="a pcap or pcapng file")


def silence(parser: argparse.ArgumentParser) -> None:
    """How long is too long."""
    parser.add_argument(
        "--silence",
        metavar="SECONDS",
        type=_seconds,
        default=2.0,
        help="say who sent no media for longer than this (default: 2)",
    )


def folder(parser: argparse.ArgumentParser) -> None:
    """A stored run."""
    parser.add_argument("folder", metavar="RUN_FOLDER", help=_FOLDER)


def capture(parser: argparse.ArgumentParser) -> None:
    """The file that ``evidence`` writes."""
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        type=_file,
        help="where to write it (default: evidence.pcapng in the run folder)",
    )


def packet(parser: argparse.ArgumentParser) -> None:
    """A policy and a packet that it is asked about."""
    parser.add_argument("policy", metavar="POLICY", help="a shipped one by name, or a .yaml file")
    parser.add_argument(
        "--packet",
        required=True,
        metavar="PACKET",
        help="the first packet of a connection, in quotes, as in 'udp FROM:PORT > TO:PORT' or "
        "'icmp FROM > TO'; 'from SIDE' may follow",
    )


def program_on_host(parser: argparse.ArgumentParser) -> None:
    """Somebody's program, and where it runs."""
    parser.add_argument("host", metavar="HOST", help="one of its hosts")
    parser.add_argument(
        "program", metavar="COMMAND", nargs="+", help="the program and its arguments, after --"
    )


def user(parser: argparse.ArgumentParser) -> None:
    """Whose host it is about."""
    parser.add_argument("host", metavar="HOST", help="the host of one of its users")


def times(parser: argparse.ArgumentParser) -> None:
    """How often a benchmark runs."""
    parser.add_argument(
        "--times",
        type=_count,
        default=5,
        metavar="N",
        help="how many runs, or readings (default: 5)",
    )


def packets(parser: argparse.ArgumentParser) -> None:
    """The size of the capture that ``bench captures`` makes."""
    parser.add_argument(
        "--packets",
        type=_count,
        metavar="N",
        help="packets of the capture that 'bench captures' makes (default: 1000000)",
    )


def shell(parser: argparse.ArgumentParser) -> None:
    """A shell by name."""
    parser.add_argument("shell", choices=completion.SHELLS, help="the shell that is to complete")


def tests(parser: argparse.ArgumentParser) -> None:
    """Which tests run; what is not ours goes to pytest."""
    parser.add_argument("--long", action="store_true", help="also the tests that take long")
    parser.usage = "callpath test [--long] [PYTEST ARGUMENT ...]"


def _folders(parser: argparse.ArgumentParser, how_many: str | int) -> None:
    parser.add_argument("folders", metavar="RUN_FOLDER", nargs=how_many, help=_FOLDER)


def _program(text: str) -> str:
    if shutil.which(text) is None:
        raise argparse.ArgumentTypeError(f"there is no program {text!r}")
    return text


def _policy_change(text: str) -> tuple[str, str]:
    firewall, equals, policy = text.partition("=")
    if not (firewall and equals and policy):
        raise argparse.ArgumentTypeError(f"{text!r} is not FIREWALL=POLICY, as in office=udp_out")
    return firewall, policy


def _file(text: str) -> Path:
    if Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is a folder; name the file in it")
    return Path(text)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of runs, from 1")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return seconds
