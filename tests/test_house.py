"""The import rules of the house, kept by reading every import (docs: "The rooms").

A rule is data; :func:`broken` reads a tree and names every import that breaks
one. Each rule is shown to bite on a small tree of its own.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

#: The rooms; scripts are no room, but bound by the same rules.
ROOMS = ("topologies", "controllers", "agents", "scenarios", "results")
READ = (*ROOMS, "plugin", "scripts")


@dataclass(frozen=True)
class Rule:
    """Files under ``where``, save those under ``allowed``, import nothing of ``banned``."""

    where: tuple[str, ...]
    banned: tuple[str, ...]
    because: str
    allowed: tuple[str, ...] = ()

    def binds(self, file: str) -> bool:
        """Whether the rule speaks of the file, named by its modules' dots."""
        return _within(file, self.where) and not _within(file, self.allowed)


RULES = (
    Rule(("topologies.spec",), ROOMS, "every room may import the specification"),
    Rule(READ, ("scenarios",), "nobody imports scenarios", allowed=("scenarios",)),
    Rule(("results",), ("agents",), "a bug in the agents must not hide itself"),
    Rule(("topologies",), ("agents",), "a network does not know who uses it"),
    Rule(("plugin",), ROOMS, "it runs in the environments of others"),
    Rule(READ, ("mininet",), "topologies/lab.py alone has it", allowed=("topologies.lab",)),
    Rule(READ, ("aioice",), "agents/ice alone has it", allowed=("agents.ice",)),
    Rule(
        READ,
        ("os_ken", "ryu"),
        "controllers/firewall.py alone has them",
        allowed=("controllers.firewall",),
    ),
)


def broken(root: Path) -> list[str]:
    """Every import below ``root`` that breaks a rule, each as one sentence."""
    return [
        f"{path.relative_to(root)}:{line}: imports {imported}; {rule.because}"
        for path in _sources(root)
        for line, imported in _imports(path, root)
        for rule in RULES
        if rule.binds(_module(path, root)) and _within(imported, rule.banned)
    ]


def _sources(root: Path) -> list[Path]:
    return sorted(
        path
        for folder in READ
        for path in (root / folder).rglob("*.py")
        if "runs" not in path.relative_to(root).parts
    )


def _within(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(package + ".") for package in packages)


def _module(path: Path, root: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(path: Path, root: Path) -> Iterator[tuple[int, str]]:
    """Line and full name of everything that a file imports, wherever in the file it does."""
    package = ".".join(path.relative_to(root).parent.parts)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                yield from ((node.lineno, alias.name) for alias in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                base = _absolute(package, module, level)
                yield from ((node.lineno, f"{base}.{alias.name}") for alias in names)
            case ast.Call(func=func, args=[ast.Constant(value=str(name)), *_]):
                if ast.unparse(func).split(".")[-1] in ("import_module", "__import__"):
                    yield node.lineno, name


def _absolute(package: str, module: str | None, level: int) -> str:
    """What ``from ..module import`` means within a package."""
    if level == 0:
        return module or ""
    kept = package.split(".")[: len(package.split(".")) - level + 1]
    return ".".join([*kept, *([module] if module else [])])


def test_every_import_keeps_the_rules() -> None:
    assert broken(ROOT) == []


def test_the_rooms_are_read_at_all() -> None:
    read = {str(path.relative_to(ROOT)) for path in _sources(ROOT)}
    assert {"topologies/spec.py", "agents/ice/__init__.py", "results/schema.py"} <= read


@pytest.mark.parametrize(
    ("file", "text", "report"),
    [
        (
            "topologies/spec.py",
            "import results.schema",
            "imports results.schema; every room may import the specification",
        ),
        (
            "topologies/spec.py",
            "from .world import World",
            "imports topologies.world.World; every room may import the specification",
        ),
        (
            "agents/client.py",
            "from scenarios.runner import main",
            "imports scenarios.runner.main; nobody imports scenarios",
        ),
        (
            "controllers/policy.py",
            "import scenarios",
            "imports scenarios; nobody imports scenarios",
        ),
        (
            "scripts/survey.py",
            "from scenarios import runner",
            "imports scenarios.runner; nobody imports scenarios",
        ),
        (
            "plugin/pytest_callpath/run.py",
            "from results.schema import Result",
            "imports results.schema.Result; it runs in the environments of others",
        ),
        (
            "results/evidence.py",
            "from agents.ice import protocol",
            "imports agents.ice.protocol; a bug in the agents must not hide itself",
        ),
        (
            "results/evidence.py",
            "from scenarios import intranet",
            "imports scenarios.intranet; nobody imports scenarios",
        ),
        (
            "topologies/lab.py",
            "import agents",
            "imports agents; a network does not know who uses it",
        ),
        (
            "topologies/lab.py",
            "import scenarios.runner as runner",
            "imports scenarios.runner; nobody imports scenarios",
        ),
        (
            "topologies/taps.py",
            "from mininet.net import Mininet",
            "imports mininet.net.Mininet; topologies/lab.py alone has it",
        ),
        (
            "scenarios/runner.py",
            "def up():\n    import mininet",
            "imports mininet; topologies/lab.py alone has it",
        ),
        (
            "scenarios/runner.py",
            "import importlib\nimportlib.import_module('mininet.net')",
            "imports mininet.net; topologies/lab.py alone has it",
        ),
        (
            "agents/client.py",
            "from aioice import Connection",
            "imports aioice.Connection; agents/ice alone has it",
        ),
        (
            "controllers/flowtable.py",
            "import os_ken.base",
            "imports os_ken.base; controllers/firewall.py alone has them",
        ),
        (
            "topologies/lab.py",
            "from ryu.lib import hub",
            "imports ryu.lib.hub; controllers/firewall.py alone has them",
        ),
    ],
)
def test_a_broken_rule_is_reported(tmp_path: Path, file: str, text: str, report: str) -> None:
    write(tmp_path, file, text)
    line = len(text.splitlines())
    assert broken(tmp_path) == [f"{file}:{line}: {report}"]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("topologies/spec.py", "import pydantic\nimport topologies_of_others"),
        ("topologies/lab.py", "from mininet.net import Mininet\nfrom .spec import Host"),
        ("agents/ice/direct_first.py", "import aioice\nfrom ..talk import say"),
        ("agents/client.py", "import aiortc\nfrom . import ice"),
        ("controllers/firewall.py", "from os_ken.base import app_manager\nimport ryu"),
        ("scenarios/intranet.py", "from scenarios.runner import main\nimport agents, results"),
        ("results/schema.py", "from topologies.spec import Flow"),
        ("results/runs/x/left.py", "import agents"),
    ],
)
def test_what_is_allowed_is_not_reported(tmp_path: Path, file: str, text: str) -> None:
    write(tmp_path, file, text)
    assert broken(tmp_path) == []


def write(root: Path, file: str, text: str) -> None:
    """Put a source file into a tree."""
    (root / file).parent.mkdir(parents=True)
    (root / file).write_text(text)
