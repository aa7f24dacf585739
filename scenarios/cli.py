"""The command line: one parser a command, and what each exit code means.

Exit codes: 0 all PASS; 1 a FAIL; 2 an INCONCLUSIVE or something that could not
be done (1 wins over 2); 64 wrong usage. ``exec`` has the program's own, and 125
for failures of ours.
"""

import argparse
import difflib
import re
import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple, NoReturn

from scenarios import arguments, commands, completion, testing

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


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; its exit code."""
    options = _options(argv)
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


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    """The parsed arguments; ``test`` passes what is not its own on to pytest."""
    parser = _parser()
    options, rest = parser.parse_known_args(argv)
    if options.command is testing.test:
        options.arguments = rest
    elif rest and options.command is commands.execute:
        program = " ".join(("--", *options.program, *rest))
        parser.error(f"put -- before the program, as in: exec {options.name} HOST {program}")
    elif rest:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if options.command is commands.whatif and len(options.policy) < 2:
        parser.error("whatif compares: give --policy at least twice")
    if options.command is commands.bench and options.packets and options.name != commands.CAPTURES:
        parser.error("--packets is for 'bench captures'")
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
    for verb in _verbs():
        own = verbs.add_parser(
            verb.name,
            help=verb.what,
            description=verb.what,
            epilog=f"Example: {verb.example}",
            formatter_class=_Help,
        )
        for add in verb.arguments:
            add(own)
        own.set_defaults(command=verb.command)
    return parser


def _completion(options: argparse.Namespace) -> int:
    print(completion.script(_parser(), options.shell))  # noqa: T201
    return commands.PASS


class _Verb(NamedTuple):
    """A command: what it is called, does, and takes; ``example`` is good to copy."""

    name: str
    what: str
    example: str
    command: Callable[[argparse.Namespace], int]
    arguments: tuple[Callable[[argparse.ArgumentParser], None], ...]


def _verbs() -> tuple[_Verb, ...]:
    """All commands, in the order of their use."""
    return (
        _Verb(
            "list",
            "List the scenarios.",
            "./callpath list",
            commands.list_scenarios,
            (arguments.json,),
        ),
        _Verb(
            "run",
            "Run scenarios (all, unless named) and judge them.",
            "./callpath run intranet",
            commands.run,
            (
                arguments.scenarios,
                arguments.output,
                arguments.summaries,
                arguments.runs,
                arguments.policy,
                arguments.controller_python,
            ),
        ),
        _Verb(
            "judge",
            "Judge stored runs again; writes nothing and needs no root.",
            "./callpath judge results/runs/20261120-104428-intranet-9019",
            commands.judge,
            (arguments.folders, arguments.output, arguments.summaries),
        ),
        _Verb(
            "evidence",
            "Make a stored run's evidence.pcapng anew: all its captures in one, in order of time, "
            "with the story as comments and the keys inside.",
            "./callpath evidence results/runs/20261120-104428-intranet-9019 -o intranet.pcapng",
            commands.evidence,
            (arguments.folder, arguments.capture),
        ),
        _Verb(
            "report",
            "Write report.html into stored run folders anew, whole or not; needs no root.",
            "./callpath report results/runs/20261120-104428-intranet-9019",
            commands.report,
            (arguments.folders,),
        ),
        _Verb(
            "inspect",
            "Say which calls anyone's captures hold, which way they went and how they fared; "
            "needs no keys, no root and no run. Several files of one event are joined, and so are "
            "the interfaces of one file.",
            "./callpath inspect client.pcapng relay.pcap",
            commands.inspect,
            (arguments.captures, arguments.silence, arguments.json),
        ),
        _Verb(
            "compare",
            "Say which calls of two stored runs take another path, and the rules that decide it.",
            "./callpath compare results/runs/20261120-104428-external_direct-9019 "
            "results/runs/20261120-105011-external_direct-77ab",
            commands.compare,
            (arguments.two_folders, arguments.json),
        ),
        _Verb(
            "whatif",
            "Run a scenario under one policy after the other, and say which calls change path.",
            "./callpath whatif external_direct --policy office=udp_out "
            "--policy office=service_only",
            commands.whatif,
            (arguments.scenario, arguments.policies_to_compare, arguments.runs, arguments.json),
        ),
        _Verb(
            "explain",
            "Say what a policy would do with a packet, and by which rule.",
            "./callpath explain service_only --packet 'udp 10.10.0.11:5000 > 203.0.113.9:3478'",
            commands.explain,
            (arguments.packet, arguments.json),
        ),
        _Verb(
            "exec",
            "Run a program on a host of a scenario's network, with all services up.",
            "./callpath exec external_direct alice -- turnutils_stunclient relay.service.example",
            commands.execute,
            (arguments.scenario, arguments.program_on_host, arguments.policy, arguments.runs),
        ),
        _Verb(
            "assess",
            "Say what a host reaches of the service: by which way, with what delay and loss. Exit "
            "code 1 where a way does not work that calls need, 2 where it cannot be told.",
            "./callpath assess external_direct alice",
            commands.assess,
            (
                arguments.scenario,
                arguments.user,
                arguments.json,
                arguments.policy,
                arguments.runs,
            ),
        ),
        _Verb(
            "shell",
            "Bring a scenario's network up with its services, and talk to Mininet's prompt.",
            "./callpath shell external_direct",
            commands.shell,
            (arguments.scenario, arguments.policy, arguments.runs),
        ),
        _Verb(
            "bench",
            "Measure how long each phase of a run takes: least, median and most over several runs. "
            "Or, as 'bench captures', how fast captures are read, beside other readers; as "
            "'bench links', how well impaired cables keep to what is asked of them; as "
            "'bench ways', how soon a client reaches its relay out of which network.",
            "./callpath bench external_relayed --times 3",
            commands.bench,
            (arguments.scenario, arguments.packets, arguments.times, arguments.json),
        ),
        _Verb(
            "schema",
            "Print the JSON schema of what run and judge print with --json.",
            "./callpath schema",
            commands.schema,
            (),
        ),
        _Verb(
            "completion",
            "Print what a shell needs to complete commands, options and scenarios.",
            'eval "$(./callpath completion bash)"',
            _completion,
            (arguments.shell,),
        ),
        _Verb(
            "doctor",
            "Say what this machine offers, what is used, and what mends what is missing.",
            "./callpath doctor",
            commands.doctor,
            (arguments.json,),
        ),
        _Verb(
            "test",
            "Run the test suite: style, types, unit tests, and tests that build networks.",
            "./callpath test -k intranet",
            testing.test,
            (arguments.tests,),
        ),
    )


if __name__ == "__main__":
    sys.exit(main())
