"""The arguments of commands, each added by a function of its own."""

import argparse
import shutil

from scenarios import completion

_SCENARIO = "a scenario, or the path of a .py file"
_POLICY = "a shipped policy by name, or the path of a .yaml file"


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


def times(parser: argparse.ArgumentParser) -> None:
    """How often a benchmark runs."""
    parser.add_argument(
        "--times", type=_count, default=5, metavar="N", help="how many runs (default: 5)"
    )


def shell(parser: argparse.ArgumentParser) -> None:
    """A shell by name."""
    parser.add_argument("shell", choices=completion.SHELLS, help="the shell that is to complete")


def tests(parser: argparse.ArgumentParser) -> None:
    """Which tests run; what is not ours goes to pytest."""
    parser.add_argument("--long", action="store_true", help="also the tests that take long")
    parser.usage = "callpath test [--long] [PYTEST ARGUMENT ...]"


def _folders(parser: argparse.ArgumentParser, how_many: str | int) -> None:
    parser.add_argument(
        "folders",
        metavar="RUN_FOLDER",
        nargs=how_many,
        help="a folder that run has written, as its last column names it",
    )


def _program(text: str) -> str:
    if shutil.which(text) is None:
        raise argparse.ArgumentTypeError(f"there is no program {text!r}")
    return text


def _policy_change(text: str) -> tuple[str, str]:
    firewall, equals, policy = text.partition("=")
    if not (firewall and equals and policy):
        raise argparse.ArgumentTypeError(f"{text!r} is not FIREWALL=POLICY, as in office=udp_out")
    return firewall, policy


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of runs, from 1")
    return int(text)
