"""YAML with positions, so that an error can point at the line it speaks of.

Every scalar stays the text that was written: a zone called ``on`` does not become
a truth value, nor the port ``0443`` an octal number, as YAML 1.1 would have it.
What a text means is for its reader to say.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import yaml

#: Keys of mappings and indices of lists, from the top.
Path = Sequence[str | int]


class Place(NamedTuple):
    """Where something stands; both count from 1, as editors do."""

    line: int
    column: int


class MarkedYamlError(Exception):
    """A text that cannot be read as a plain YAML document. Speaks to a person."""

    def __init__(self, place: Place, text: str) -> None:
        super().__init__(text)
        self.place = place


class Document:
    """A YAML document: its data, and the place of every part."""

    def __init__(self, text: str) -> None:
        self._root = _compose(text)
        self.data = _plain(self._root)

    def place(self, path: Path) -> Place:
        """Where the value at the path begins, or the innermost mapping or list that exists."""
        node = self._root
        for step in path:
            inner = _child(node, step)
            if inner is None:
                break
            node = inner
        return _place(node.start_mark)

    def place_of_key(self, path: Path) -> Place:
        """Where the key that ends the path is written."""
        *above, last = path
        node = self._root
        for step in above:
            node = _child(node, step) or node
        for key, _ in node.value:
            if key.value == last:
                return _place(key.start_mark)
        return _place(node.start_mark)


def _compose(text: str) -> yaml.Node:
    try:
        # A SafeLoader that is asked for nodes only: nothing is ever constructed.
        node = _Loader(text).get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = _place(mark) if mark else Place(1, 1)
        text = ", ".join(part for part in (error.context, error.problem) if part)
        raise MarkedYamlError(place, f"not YAML: {text}") from None
    except yaml.reader.ReaderError as error:
        raise MarkedYamlError(_at(text, error.position), "not YAML: a control character") from None
    if node is None:
        raise MarkedYamlError(Place(1, 1), "the file is empty")
    return node


class _Loader(yaml.SafeLoader):
    """Composes nodes; refuses aliases, which could contain themselves."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event = self.get_event()  # type: ignore[no-untyped-call]
            text = f"*{event.anchor} refers to another part of the file; write it out"
            raise MarkedYamlError(_place(event.start_mark), text)
        return super().compose_node(parent, index)


def _plain(node: yaml.Node) -> object:
    match node:
        case yaml.MappingNode():
            return dict(_items(node))
        case yaml.SequenceNode():
            return [_plain(item) for item in node.value]
        case _:
            return node.value


def _items(node: yaml.MappingNode) -> Iterator[tuple[str, object]]:
    seen: dict[str, Place] = {}
    for key, value in node.value:
        place = _place(key.start_mark)
        if not isinstance(key, yaml.ScalarNode):
            raise MarkedYamlError(place, "a key must be a single word")
        if key.value in seen:
            text = f'"{key.value}" is already there, in line {seen[key.value].line}'
            raise MarkedYamlError(place, text)
        seen[key.value] = place
        yield key.value, _plain(value)


def _child(node: yaml.Node, step: str | int) -> yaml.Node | None:
    match node, step:
        case yaml.MappingNode(), str():
            return next((value for key, value in node.value if key.value == step), None)
        case yaml.SequenceNode(), int():
            return node.value[step] if step < len(node.value) else None
        case _:
            return None


def _place(mark: yaml.Mark) -> Place:
    return Place(mark.line + 1, mark.column + 1)


def _at(text: str, position: int) -> Place:
    before = text[:position]
    return Place(before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1)
