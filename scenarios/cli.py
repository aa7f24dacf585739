"""The command line: one parser a command, and what each exit code means.

Exit codes: 0 all PASS; 1 a FAIL; 2 an INCONCLUSIVE or something that could not
be done (1 wins over 2); 64 wrong usage.
"""

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn, TypeAlias

from scenarios import commands

#: sysexits(3): the command was used incorrectly.
WRONG_USAGE = 64


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(WRONG_USAGE, f"{self.prog}: {message}\nTry: {self.prog} --help\n")


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
    elif rest:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    return options


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="callpath",
        description="Builds networks, makes real calls in them, and proves from packet captures "
        "which path the media took.",
        epilog="Example: sudo ./callpath run intranet",
    )
    verbs = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_list(verbs)
    _add_run(verbs)
    _add_judge(verbs)
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
    return verbs.add_parser(name, help=what, description=what, epilog=f"Example: {example}")


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def _add_quiet(parser: _Parser) -> None:
    parser.add_argument(
        "-q", "--quiet", action="store_true", help="one line a run: verdict, scenario, folder"
    )


def _add_scenario(parser: _Parser) -> None:
    _offers_scenarios(
        parser.add_argument("name", metavar="NAME", help="a scenario, or a scenario file")
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
            "names", metavar="NAME", nargs="*", help="a scenario, or a scenario file"
        )
    )
    _add_quiet(parser)
    parser.add_argument(
        "--runs", metavar="FOLDER", help="where run folders are written (default: results/runs)"
    )
    _add_policy(parser)
    parser.add_argument(
        "--controller-python",
        metavar="PYTHON",
        help="run the firewalls' controller on this interpreter, for instance one that has Ryu",
    )
    _add_json(parser)
    parser.set_defaults(command=commands.run)


def _add_policy(parser: _Parser) -> None:
    parser.add_argument(
        "--policy",
        metavar="FIREWALL=POLICY",
        action="append",
        default=[],
        type=_policy_change,
        help="have a firewall enforce another policy (a shipped one by name, or a YAML file)",
    )


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
    parser.add_argument("folders", metavar="RUN_FOLDER", nargs="+")
    _add_quiet(parser)
    _add_json(parser)
    parser.set_defaults(command=commands.judge)


def _add_compare(verbs: _Verbs) -> None:
    parser = _add(
        verbs,
        "compare",
        "Say which calls of two stored runs take another path, and the rules that decide it.",
        "./callpath compare results/runs/20261120-104428-external_direct-9019 "
        "results/runs/20261120-105011-external_direct-77ab",
    )
    parser.add_argument("folders", metavar="RUN_FOLDER", nargs=2)
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
        help="one run each; give it at least twice",
    )
    parser.add_argument("--runs", metavar="FOLDER", help="where run folders are written")
    _add_json(parser)
    parser.set_defaults(command=commands.whatif)


def _add_explain(verbs: _Verbs) -> None:
    parser = _add(
        verbs,
        "explain",
        "Say what a policy would do with a packet, and by which rule.",
        "./callpath explain service_only --packet 'udp 10.10.0.11:5000 > 203.0.113.9:3478'",
    )
    parser.add_argument("policy", metavar="POLICY", help="a shipped policy's name, or a YAML file")
    parser.add_argument(
        "--packet", required=True, metavar="PACKET", help="as in 'udp FROM:PORT > TO:PORT'"
    )
    _add_json(parser)
    parser.set_defaults(command=commands.explain)


def _add_exec(verbs: _Verbs) -> None:
    parser = _add(
        verbs,
        "exec",
        "Run a program on a host of a scenario's network, with all services up.",
        "./callpath exec external_direct alice -- curl https://front-end.service.example/",
    )
    _add_scenario(parser)
    parser.add_argument("host", metavar="HOST", help="one of its hosts")
    parser.add_argument("program", metavar="COMMAND", nargs="+", help="and its arguments, after --")
    _add_policy(parser)
    parser.add_argument("--runs", metavar="FOLDER", help="where run folders are written")
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
    parser.add_argument("--runs", metavar="FOLDER", help="where run folders are written")
    parser.set_defaults(command=commands.shell)


def _add_bench(verbs: _Verbs) -> None:
    parser = _add(
        verbs,
        "bench",
        "Measure how long each phase of a run takes: least, median and most over several runs.",
        "./callpath bench external_relayed --runs 5",
    )
    _add_scenario(parser)
    parser.add_argument("--runs", type=_count, default=5, metavar="N", help="how often (5)")
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
    parser.add_argument("shell", choices=("bash", "zsh"))
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
