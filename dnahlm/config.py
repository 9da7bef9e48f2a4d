"""Configs: dataclass + YAML + command line, the same way for every command; nothing unknown passes.

Flat recipe files go through trl's `TrlParser`. Nested files (tasks, suites) go through `build`, which is as strict.
"""

import dataclasses
import difflib
import re
import types
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml

from dnahlm.io import InputError, open_text

T = TypeVar("T")


class _UniqueKeyLoader(yaml.SafeLoader):
    """SafeLoader that refuses a key given twice instead of keeping the last one."""


def _mapping(loader: _UniqueKeyLoader, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
    seen: dict[Any, int] = {}
    for key_node, _ in node.value:
        key = loader.construct_object(key_node, deep=True)
        line = key_node.start_mark.line + 1
        if key in seen:
            raise InputError(f"{loader.name}:{line}: key {key!r} was already given on line {seen[key]}. Keep one.")
        seen[key] = line
    return yaml.SafeLoader.construct_mapping(loader, node, deep)


_UniqueKeyLoader.add_constructor("tag:yaml.org,2002:map", lambda loader, node: _mapping(loader, node, deep=True))


def load_yaml(path: str | Path) -> dict[str, Any]:
    """Read one YAML mapping.

    Raises:
        InputError: missing, empty, not YAML, not a mapping, or a key given twice.
    """
    with open_text(path, "YAML file") as handle:
        text = handle.read()
    loader = _UniqueKeyLoader(text)
    loader.name = str(path)
    try:
        mapping = loader.get_single_data()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InputError(f"{path}:{line}: not valid YAML: {error.problem}. Check quotes and indentation.") from error
    finally:
        loader.dispose()
    if not isinstance(mapping, dict):
        raise InputError(f"{path}: must be a YAML mapping of `key: value` lines, found {type(mapping).__name__}.")
    return mapping


def line_of(path: str | Path, key: str) -> int:
    """Line on which `key:` stands in a YAML file, 1 when it cannot be told."""
    pattern = re.compile(rf"(^|[\s{{,'\"-]){re.escape(key)}['\"]?\s*:")
    for number, line in enumerate(Path(path).read_text(encoding="utf-8-sig").splitlines(), 1):
        if pattern.search(line):
            return number
    return 1


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """The end of an error message: the nearest known word, or all of them.

    >>> did_you_mean("sead", ["seed", "output"])
    "Did you mean 'seed'?"
    """
    near = difflib.get_close_matches(str(word), [str(k) for k in known], n=1, cutoff=0.6)
    return f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(sorted(map(str, known)))}."


def parse(dataclass_types: Sequence[type], args: Sequence[str], prog: str) -> tuple[Any, ...]:
    """Read `--config file.yaml` and `--key value` overrides into the given dataclasses, one instance each.

    Raises:
        InputError: unknown key, wrong type, or an unusable YAML file, with file and line.
        SystemExit: an error on the command line itself, or `--help`.
    """
    from trl import TrlParser

    args = list(args)
    if "--config" in args[-1:]:
        raise InputError(f"{prog}: --config needs the name of a YAML file.")
    if "--config" in args:
        check_flat_yaml(args[args.index("--config") + 1], dataclass_types)
    parser = TrlParser(dataclass_types, prog=prog)
    try:
        return tuple(parser.parse_args_and_config(args))
    except ValueError as error:
        raise InputError(f"{prog}: {error}") from error


def check_flat_yaml(path: str | Path, dataclass_types: Sequence[type]) -> None:
    """Check the keys and the scalar types of a recipe file before the parser sees it.

    Raises:
        InputError: a key no dataclass has, or a value that cannot be the field's type.
    """
    hints: dict[str, Any] = {}
    for cls in dataclass_types:
        names = {field.name for field in dataclasses.fields(cls) if field.init}
        hints |= {k: v for k, v in typing.get_type_hints(cls).items() if k in names}
    for key, value in load_yaml(path).items():
        if key == "env":
            continue
        where = f"{path}:{line_of(path, key)}"
        if key not in hints:
            raise InputError(f"{where}: unknown key {key!r}. {did_you_mean(key, list(hints))}")
        _check_scalar(value, hints[key], f"{where}: {key}")


def _check_scalar(value: Any, hint: Any, where: str) -> None:
    """YAML 1.1 reads `2e-5` as text (the parser still makes it a float) and a bare `no` as false: catch the rest here."""
    allowed = _members(hint)
    if isinstance(value, bool) and bool not in allowed and str in allowed:
        raise InputError(f"{where}: found the boolean {value} where text is needed. Quote it, as in \"{'yes' if value else 'no'}\".")
    if isinstance(value, str) and str not in allowed and allowed & {int, float}:
        try:
            float(value)
        except ValueError:
            raise InputError(f"{where}: found the text {value!r} where a number is needed.") from None


def _members(hint: Any) -> set[Any]:
    """The plain types a hint admits: `Optional[float]` -> {float, NoneType}."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return set().union(*(_members(h) for h in typing.get_args(hint)))
    return {typing.get_origin(hint) or hint}


def build(cls: type[T], mapping: dict[str, Any], path: str | Path) -> T:
    """Make a (nested) dataclass of a YAML mapping, checking every key and every plain type.

    Args:
        cls: a dataclass; its field types may be `str`, `int`, `float`, `bool`, other dataclasses, and `list[...]`,
            `dict[str, ...]` or `... | None` of these.
        mapping: as read by `load_yaml`.
        path: file named in error messages.

    Raises:
        InputError: unknown or missing key, wrong type, a bare `yes`/`no` where text is needed.
    """
    fields = {field.name: field for field in dataclasses.fields(cls) if field.init}
    hints = typing.get_type_hints(cls)
    for key in mapping:
        if key not in fields:
            raise InputError(f"{path}:{line_of(path, str(key))}: unknown key {key!r}. {did_you_mean(key, list(fields))}")
    for name, field in fields.items():
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if required and name not in mapping:
            raise InputError(f"{path}: key {name!r} is missing ({cls.__name__} needs it).")
    return cls(**{key: _coerce(value, hints[key], path, key) for key, value in mapping.items()})


def _coerce(value: Any, hint: Any, path: str | Path, key: str) -> Any:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return value
    if origin in (typing.Union, types.UnionType):
        if value is None:
            return None
        (hint,) = [h for h in inner if h is not type(None)]
        return _coerce(value, hint, path, key)
    where = f"{path}:{line_of(path, key)}: {key}"
    if dataclasses.is_dataclass(hint) and isinstance(value, dict):
        return build(hint, value, path)
    if origin is list and isinstance(value, list):
        return [_coerce(item, inner[0], path, key) for item in value]
    if origin is dict and isinstance(value, dict):
        return {_coerce(k, inner[0], path, str(k)): _coerce(v, inner[1], path, str(k)) for k, v in value.items()}
    if hint is float and isinstance(value, (int, float, str)) and not isinstance(value, bool):
        _check_scalar(value, float, where)
        return float(value)
    if type(value) is hint:
        return value
    wanted = getattr(hint, "__name__", str(hint))
    quote = " Quote it." if hint is str else ""
    raise InputError(f"{where}: found {value!r} ({type(value).__name__}) where {wanted} is needed.{quote}")
