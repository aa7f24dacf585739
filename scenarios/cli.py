"""The command line: one parser a command, and what each exit code means.

Exit codes: 0 all PASS; 1 a FAIL; 2 an INCONCLUSIVE or something that could not
be done (1 wins over 2); 64 wrong usage. ``exec`` has the program's own, and 125
for failures of ours.
"""

import argparse
import difflib
import re
import shutil
import sys
from collections.abc import Sequence
from typing import NoReturn, TypeAlias

from scenarios import commands

#: sysexits(3): the command was used incorrectly.
WRONG_USAGE = 64


#: Below the help of all commands.
_EPILOG = """\
Exit codes: 0 all is well, every verdict PASS; 1 a FAIL; 2 an INCONCLUSIVE, or
something that could not be done; 64 wrong usage. exec gives the program's own.

Example: sudo ./callpath run intranet"""

_INVALID_COMMAND = re.compile(r"argument COMMAND: invalid choice: '(.*?)' \(choose from (.*)\)")


class _Help(argparse.HelpFormatter):
    """Leaves the text below the options as it is: an example must be good to copy."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return text if "Example: " in text else super()._fill_text(text, width, indent)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        said = _INVALID_COMMAND.sub(_unknown_command, message)
        self.exit(WRONG_USAGE, f"{self.prog}: {said}\nTry: {self.prog} --help\n")


def _unknown_command(found: re.Match[str]) -> str:
    word, choices = found[1], found[2].replace("'", "")
    like = difflib.get_close_matches(word, choices.split(", "), n=1)
    meant = f" (did you mean {like[0]!r}?)" if like else ""
    return f"there is no command {word!r}{meant}; there are: {choices}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code."""
    options = _options(arguments)
    try:
        code: int = options.command(options)
    except KeyboardInterrupt:
        sys.stderr.write("callpath: interrupted\n")
        return commands.NOT_DONE
    except BrokenPipeError:
        # The reader (head, less) has what it wanted.
        sys.stderr.close()
        return commands.NOT_DONE
    return code


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The parsed arguments; ``test`` passes what is not its own on to pytest."""
    parser = _parser()
    options, rest = parser.parse_known_args(arguments)
    if options.command is commands.test:
        options.arguments = rest
    elif rest and options.command is commands.execute:
        program = " ".join(("--", *options.program, *rest))
        parser.error(f"put -- before the program, as in: exec {options.name} HOST {program}")
    elif rest:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if options.command is commands.whatif and len(options.policy) < 2:
        parser.error("whatif compares: give --policy at least twice")
    return options


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="callpath",
        description="Builds networks, makes real calls in them, and proves from packet captures "
        "which path the media took.",
        epilog=_EPILOG,
        formatter_class=_Help,
    )
    verbs = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_list(verbs)
    _add_run(verbs)
    _add_judge(verbs)
    _add_report(verbs)
    _add_compare(verbs)
    _add_whatif(verbs)
    _add_explain(verbs)
    _add_exec(verbs)
    _add_shell(verbs)
    _add_bench(verbs)
    _add_completion(verbs)
    _add_doctor(verbs)
    _add_test(verbs)
    return parser


_Verbs: TypeAlias = "argparse._SubParsersAction[_Parser]"


def _add(verbs: _Verbs, name: str, what: str, example: str) -> _Parser:
    return verbs.add_parser(
        name, help=what, description=what, epilog=f"Example: {example}", formatter_class=_Help
    )


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def _add_output(parser: _Parser) -> None:
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


def _add_runs(parser: _Parser) -> None:
    parser.add_argument(
        "--runs", metavar="FOLDER", help="where run folders are written (default: results/runs)"
    )


def _add_scenario(parser: _Parser) -> None:
    _offers_scenarios(
        parser.add_argument("name", metavar="NAME", help="a scenario, or the path of a .py file")
    )


def _offers_scenarios(argument: argparse.Action) -> None:
    """Have shells complete the argument with names of scenarios (shtab reads ``complete``)."""
    shells = {"bash": "_callpath_scenarios", "zsh": "_callpath_scenarios"}
    argument.complete = shells  # type: ignore[attr-defined]


def _add_list(verbs: _Verbs) -> None:
    parser = _add(verbs, "list", "List the scenarios.", "./callpath list")
    _add_json(parser)
    parser.set_defaults(command=commands.list_scenarios)


def _add_run(verbs: _Verbs) -> None:
    parser = _add(
        verbs, "run", "Run scenarios (all, unless named) and judge them.", "./callpath run intranet"
    )
    _offers_scenarios(
        parser.add_argument(
            "names", metavar="NAME", nargs="*", help="a scenario, or the path of a .py file"
        )
    )
    _add_output(parser)
    _add_runs(parser)
    _add_policy(parser)
    parser.add_argument(
        "--controller-python",
        metavar="PYTHON",
        type=_program,
        help="run the firewalls' controller on this interpreter, for instance one that has Ryu",
    )
    parser.set_defaults(command=commands.run)


def _add_policy(parser: _Parser) -> None:
    parser.add_argument(
        "--policy",
        metavar="FIREWALL=POLICY",
        action="append",
        default=[],
        type=_policy_change,
        help="have a firewall enforce another policy: a shipped one by name, or the path of a "
        ".yaml file; may be given several times",
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


def _add_judge(verbs: _Verbs) -> None:
    parser = _add(
        verbs,
        "judge",
        "Judge stored runs again; writes nothing and needs no root.",
        "./callpath judge results/runs/20261120-104428-intranet-9019",
    )
    _add_folders(parser, "+")
    _add_output(parser)
    parser.set_defaults(command=commands.judge)


def _add_report(verbs: _Verbs) -> None:
    parser = _add(
        verbs,
        "report",
        "Write report.html into stored run folders anew, whole or not; needs no root.",
        "./callpath report results/runs/20261120-104428-intranet-9019",
    )
    _add_folders(parser, "+")
    parser.set_defaults(command=commands.report)


def _add_folders(parser: _Parser, how_many: str | int) -> None:
    parser.add_argument(
        "folders",
        metavar="RUN_FOLDER",
        nargs=how_many,
        help="a folder that run has written, as its last column names it",
    )


def _add_compare(verbs: _Verbs) -> None:
    parser = _add(
        verbs,
        "compare",
        "Say which calls of two stored runs take another path, and the rules that decide it.",
        "./callpath compare results/runs/20261120-104428-external_direct-9019 "
        "results/runs/20261120-105011-external_direct-77ab",
    )
    _add_folders(parser, 2)
    _add_json(parser)
    parser.set_defaults(command=commands.compare)


def _add_whatif(verbs: _Verbs) -> None:
    parser = _add(
        verbs,
        "whatif",
        "Run a scenario under one policy after the other, and say which calls change path.",
        "./callpath whatif external_direct --policy office=udp_out --policy office=service_only",
    )
    _add_scenario(parser)
    parser.add_argument(
        "--policy",
        metavar="FIREWALL=POLICY",
        action="append",
        required=True,
        type=_policy_change,
        help="what a firewall enforces in one of the runs: a shipped policy by name, or the path "
        "of a .yaml file; give it at least twice, the others are compared with the first",
    )
    _add_runs(parser)
    _add_json(parser)
    parser.set_defaults(command=commands.whatif)


def _add_explain(verbs: _Verbs) -> None:
    parser = _add(
        verbs,
        "explain",
        "Say what a policy would do with a packet, and by which rule.",
        "./callpath explain service_only --packet 'udp 10.10.0.11:5000 > 203.0.113.9:3478'",
    )
    parser.add_argument("policy", metavar="POLICY", help="a shipped one by name, or a .yaml file")
    parser.add_argument(
        "--packet",
        required=True,
        metavar="PACKET",
        help="the first packet of a connection, in quotes, as in 'udp FROM:PORT > TO:PORT' or "
        "'icmp FROM > TO'; 'from SIDE' may follow",
    )
    _add_json(parser)
    parser.set_defaults(command=commands.explain)


def _add_exec(verbs: _Verbs) -> None:
    parser = _add(
        verbs,
        "exec",
        "Run a program on a host of a scenario's network, with all services up.",
        "./callpath exec external_direct alice -- turnutils_stunclient relay.service.example",
    )
    _add_scenario(parser)
    parser.add_argument("host", metavar="HOST", help="one of its hosts")
    parser.add_argument(
        "program", metavar="COMMAND", nargs="+", help="the program and its arguments, after --"
    )
    _add_policy(parser)
    _add_runs(parser)
    parser.set_defaults(command=commands.execute)


def _add_shell(verbs: _Verbs) -> None:
    parser = _add(
        verbs,
        "shell",
        "Bring a scenario's network up with its services, and talk to Mininet's prompt.",
        "./callpath shell external_direct",
    )
    _add_scenario(parser)
    _add_policy(parser)
    _add_runs(parser)
    parser.set_defaults(command=commands.shell)


def _add_bench(verbs: _Verbs) -> None:
    parser = _add(
        verbs,
        "bench",
        "Measure how long each phase of a run takes: least, median and most over several runs.",
        "./callpath bench external_relayed --times 3",
    )
    _add_scenario(parser)
    parser.add_argument(
        "--times", type=_count, default=5, metavar="N", help="how many runs (default: 5)"
    )
    _add_json(parser)
    parser.set_defaults(command=commands.bench)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of runs, from 1")
    return int(text)


def _add_completion(verbs: _Verbs) -> None:
    parser = _add(
        verbs,
        "completion",
        "Print what a shell needs to complete commands, options and scenarios.",
        'eval "$(./callpath completion bash)"',
    )
    parser.add_argument("shell", choices=("bash", "zsh"), help="the shell that is to complete")
    parser.set_defaults(command=_completion)


def _completion(options: argparse.Namespace) -> int:
    import shtab

    script: str = shtab.complete(
        _parser(), shell=options.shell, preamble=_COMPLETE_SCENARIOS[options.shell]
    )
    print(script)  # noqa: T201
    return commands.PASS


#: Shell functions that offer the names of scenarios, asked of the command itself.
_COMPLETE_SCENARIOS = {
    "bash": """
_callpath_scenarios() {
  compgen -W "$("${COMP_WORDS[0]}" list 2>/dev/null | cut -d' ' -f1)" -- "$1"
}
""",
    "zsh": """
_callpath_scenarios() {
  local -a names
  names=(${(f)"$("${words[1]}" list 2>/dev/null | cut -d' ' -f1)"})
  compadd -a names
}
""",
}


def _add_doctor(verbs: _Verbs) -> None:
    parser = _add(
        verbs,
        "doctor",
        "Say what this machine offers, what is used, and what mends what is missing.",
        "./callpath doctor",
    )
    _add_json(parser)
    parser.set_defaults(command=commands.doctor)


def _add_test(verbs: _Verbs) -> None:
    parser = _add(
        verbs,
        "test",
        "Run the test suite: style, types, unit tests, and tests that build networks.",
        "./callpath test -k intranet",
    )
    parser.add_argument("--long", action="store_true", help="also the tests that take long")
    parser.usage = "callpath test [--long] [PYTEST ARGUMENT ...]"
    parser.set_defaults(command=commands.test)


if __name__ == "__main__":
    sys.exit(main())
