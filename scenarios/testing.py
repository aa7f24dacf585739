"""The suite's run: style, types, and tests side by side on all processors."""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent

#: What the test tools leave in the checkout.
_CACHES = (".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis")

_CHECKS = (("ruff", "check", "."), ("ruff", "format", "--check", "."), ("mypy",))


def test(options: argparse.Namespace) -> int:
    """Run style, types and tests; the first that fails decides."""
    from scenarios import runner

    try:
        steps = _steps(options.long, options.arguments)
        return 0 if all(_succeeds(step) for step in steps) else 1
    finally:
        for cache in _CACHES:
            runner.give_to_caller(ROOT / cache)


def _steps(long: bool, arguments: Sequence[str]) -> Iterator[tuple[str, ...]]:
    if not arguments:
        yield from _CHECKS
    markers = () if long else ("-m", "not long")
    yield ("pytest", *markers, *side_by_side(arguments), *arguments)


def side_by_side(arguments: Sequence[str]) -> tuple[str, ...]:
    """Options by which the whole suite uses all processors; none for a part of it.

    Tests of one file stay together: they share what they have made.
    """
    if any((ROOT / argument.partition("::")[0]).exists() for argument in arguments):
        return ()
    return ("-n", str(len(os.sched_getaffinity(0))), "--dist", "loadfile")


def _succeeds(step: Sequence[str]) -> bool:
    sys.stderr.write(f"callpath: {' '.join(step)}\n")
    return subprocess.run([sys.executable, "-m", *step], cwd=ROOT, check=False).returncode == 0
