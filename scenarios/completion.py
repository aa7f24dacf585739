"""What a shell needs to complete commands, options and the names of scenarios."""

import argparse

import shtab

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


def script(parser: argparse.ArgumentParser, shell: str) -> str:
    """The completion of a command line for bash or zsh."""
    text: str = shtab.complete(parser, shell=shell, preamble=_COMPLETE_SCENARIOS[shell])
    return text
