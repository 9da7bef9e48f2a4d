"""One YAML mapping from a file, as strict as a config needs it, and the lines on which its keys stand."""

from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import Any

import yaml

from dnahlm.io import InputError, open_text

MERGE = "tag:yaml.org,2002:merge"  # `<<: *other`, which the library itself resolves


class _UniqueKeyLoader(yaml.SafeLoader):
    """SafeLoader that refuses a key given twice instead of keeping the last one, and a value it cannot make."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """What a node stands for; the library lets a day 99 or a number of 5,000 digits end in a bare ValueError."""
        try:
            return super().construct_object(node, deep)
        except (ValueError, OverflowError) as error:
            if isinstance(error, InputError) or not isinstance(node, yaml.ScalarNode):
                raise
            raise InputError(
                f"{self.name}:{node.start_mark.line + 1}: found {node.value[:40]!r}, which YAML takes for a number "
                "or a date and cannot read as one. Quote it if it is text, or correct it."
            ) from error


def _mapping(loader: _UniqueKeyLoader, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
    seen: dict[Any, int] = {}
    for key_node, _ in node.value:
        if key_node.tag == MERGE:
            continue
        key = loader.construct_object(key_node, deep=True)
        line = key_node.start_mark.line + 1
        if not isinstance(key, Hashable):
            raise InputError(f"{loader.name}:{line}: found {key!r} as a key; a key must be one word of text.")
        if key in seen:
            raise InputError(f"{loader.name}:{line}: key {key!r} was already given on line {seen[key]}. Keep one.")
        seen[key] = line
    return yaml.SafeLoader.construct_mapping(loader, node, deep)


_UniqueKeyLoader.add_constructor("tag:yaml.org,2002:map", lambda loader, node: _mapping(loader, node, deep=True))


def load_yaml(path: str | Path) -> dict[str, Any]:
    """Read one YAML mapping.

    Raises:
        InputError: missing, empty, not YAML, not a mapping, a key given twice, or a value YAML cannot make.
    """
    with open_text(path, "YAML file") as handle:
        text = handle.read()
    try:
        loader = _UniqueKeyLoader(text)
        loader.name = str(path)
        mapping = loader.get_single_data()
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise InputError(f"{path}:{line}: character {error.character:#x} is not allowed in YAML. Remove it.") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        tab = " Indent with blanks, not tabs." if "'\\t'" in str(error.problem) else " Check quotes and indentation."
        raise InputError(f"{path}:{line}: not valid YAML: {error.problem}.{tab}") from error
    if not isinstance(mapping, dict):
        found = "nothing" if mapping is None else type(mapping).__name__
        raise InputError(f"{path}: must be a YAML mapping of `key: value` lines, found {found}.")
    return mapping


def line_of(path: str | Path, key: Any, item: int | None = None) -> int:
    """Line on which a key stands in a file that `load_yaml` takes, or item number `item` (from 0) of its list.

    Of keys with one name the outermost is meant. 1 when it is not told.
    """
    for name, line, items in key_lines(path):
        if name == str(key) and (item is None or item < len(items)):
            return line if item is None else items[item]
    return 1


def key_lines(path: str | Path) -> Iterator[tuple[str, int, list[int]]]:
    """Yield each key of a YAML file, its line, and the lines of the items of its list; outer keys before inner ones."""
    nodes = [yaml.compose(Path(path).read_text(encoding="utf-8-sig"), yaml.SafeLoader)]
    for node in nodes:  # which grows by what lies inside
        if isinstance(node, yaml.SequenceNode):
            nodes += node.value
        for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
            items = value.value if isinstance(value, yaml.SequenceNode) else ()
            yield key.value, key.start_mark.line + 1, [entry.start_mark.line + 1 for entry in items]
            nodes.append(value)
