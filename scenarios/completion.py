"""What a shell needs to complete commands, options and scenarios."""

import argparse

#: Shell functions that offer the names of scenarios, asked of the command itself.
_OFFER_SCENARIOS = {
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

SHELLS = tuple(_OFFER_SCENARIOS)


def offer_scenarios(argument: argparse.Action) -> None:
    """Have shells complete the argument with names of scenarios (shtab reads ``complete``)."""
    shells = dict.fromkeys(SHELLS, "_callpath_scenarios")
    argument.complete = shells  # type: ignore[attr-defined]


def script(parser: argparse.ArgumentParser, shell: str) -> str:
    """The shell's own commands that make it complete what this parser takes."""
    import shtab

    text: str = shtab.complete(parser, shell=shell, preamble=_OFFER_SCENARIOS[shell])
    return text
