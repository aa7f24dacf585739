"""Callpath in the tests of any project, by its command and the JSON that it prints.

Nothing here imports Callpath: its top-level packages would collide with others'.
"""

from pytest_callpath.command import Callpath, CallpathError, Inconclusive
from pytest_callpath.run import Call, Frame, Media, Pair, Run, Step

__all__ = [
    "Call",
    "Callpath",
    "CallpathError",
    "Frame",
    "Inconclusive",
    "Media",
    "Pair",
    "Run",
    "Step",
]
