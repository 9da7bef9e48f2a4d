"""Configs: dataclass + YAML + command line, the same way for every command; nothing unknown passes.

Flat recipe files go through trl's `TrlParser`. Nested files (tasks, suites) go through `build`, which is as strict.
"""

import dataclasses
import difflib
import types
import typing
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from dnahlm.io import InputError
from dnahlm.values import check_value, is_number, refuse_value
from dnahlm.yaml_file import key_lines, line_of, load_yaml

T = TypeVar("T")


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
        InputError: unknown key or option, missing option, wrong type, or an unusable YAML file, with file and line.
        SystemExit: `--help`.
    """
    from trl import TrlParser

    def refuse(message: str) -> NoReturn:
        raise InputError(f"{prog}: {message.rstrip('.')}. `{prog} --help` lists every option.")

    path, rest = split_config(args, prog)
    check_options(rest, dataclass_types, prog)
    if path is not None:
        check_flat_yaml(path, dataclass_types)
    parser = TrlParser(
        dataclass_types, prog=prog, allow_abbrev=False,
        epilog="--config FILE reads any of these from a YAML file (key: value); options given here override it.",
    )  # fmt: skip
    parser.error = refuse  # argparse would print its whole usage, which for a training stage hides the message
    try:
        *configs, unplaced = parser.parse_args_and_config(
            [*(() if path is None else ("--config", path)), *rest], return_remaining_strings=True
        )
    except InputError:
        raise
    except ValueError as error:
        raise InputError(f"{prog}: {error}") from error
    if unplaced:
        refuse(f"found {' '.join(unplaced)!r}, which follows no option; every value needs one, as in `--output runs/x`")
    return tuple(configs)


def split_config(args: Sequence[str], prog: str) -> tuple[str | None, list[str]]:
    """Part `--config FILE` or `--config=FILE` from the other arguments.

    Raises:
        InputError: no file after it, or given twice.

    >>> split_config(["--config", "r.yaml", "--seed", "1"], "x")
    ('r.yaml', ['--seed', '1'])
    """
    places = [i for i, arg in enumerate(args) if arg.split("=")[0] == "--config"]
    if len(places) > 1:
        raise InputError(f"{prog}: --config is given {len(places)} times. Give one YAML file; options override it.")
    if not places:
        return None, list(args)
    at = places[0]
    given = [args[at].partition("=")[2]] if "=" in args[at] else list(args[at + 1 : at + 2])
    if not given or not given[0] or given[0].startswith("--"):
        raise InputError(f"{prog}: --config needs the name of a YAML file.")
    return given[0], [*args[:at], *args[at + (1 if "=" in args[at] else 2) :]]


def check_options(args: Sequence[str], dataclass_types: Sequence[type], prog: str) -> None:
    """Refuse an option that no dataclass has, before a missing one is complained about.

    Raises:
        InputError: naming the nearest known option.
    """
    names = [f"--{field.name}" for cls in dataclass_types for field in dataclasses.fields(cls) if field.init]
    known = {"--help", "--config", *names, *(name.replace("--", "--no_", 1) for name in names)}
    for arg in args:
        option = arg.split("=")[0]
        if option.startswith("--") and "--" + option[2:].replace("-", "_") not in known:
            raise InputError(
                f"{prog}: unknown option {option!r}. {did_you_mean(option, names)[:300]} "
                f"`{prog} --help` lists every option."
            )


def check_flat_yaml(path: str | Path, dataclass_types: Sequence[type]) -> None:
    """Check the keys and the scalar types of a recipe file before the parser sees it.

    Raises:
        InputError: a key no dataclass has, or a value that cannot be the field's type.
    """
    hints: dict[str, Any] = {}
    for cls in dataclass_types:
        names = {field.name for field in dataclasses.fields(cls) if field.init}
        hints |= {k: v for k, v in typing.get_type_hints(cls).items() if k in names}
    mapping = load_yaml(path)
    line_of_key = {name: line for name, line, _ in reversed(list(key_lines(path)))}
    for key, value in mapping.items():
        if key == "env":
            continue
        where = f"{path}:{line_of_key.get(str(key), 1)}"
        if key not in hints:
            raise InputError(f"{where}: unknown key {key!r}. {did_you_mean(key, list(hints))}")
        check_value(value, hints[key], f"{where}: {key}")


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
    for problem in problems_of_keys(cls, mapping, path):
        raise problem
    hints = typing.get_type_hints(cls)
    return cls(**{key: _coerce(value, hints[key], path, key) for key, value in mapping.items()})


def problems_of_keys(cls: type, mapping: dict[str, Any], path: str | Path) -> Iterator[InputError]:
    """Yield every unknown key, missing key and wrong type of a mapping that is to become `cls`, inner ones too."""
    fields = {field.name: field for field in dataclasses.fields(cls) if field.init}
    hints = typing.get_type_hints(cls)
    for key in mapping:
        if key not in fields:
            yield InputError(f"{path}:{line_of(path, key)}: unknown key {key!r}. {did_you_mean(key, list(fields))}")
    for name, field in fields.items():
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if name in mapping and dataclasses.is_dataclass(hints[name]) and isinstance(mapping[name], dict):
            yield from problems_of_keys(hints[name], mapping[name], path)
        elif name in mapping:
            try:
                _coerce(mapping[name], hints[name], path, name)
            except InputError as error:
                yield error
        elif required:
            yield InputError(f"{path}: key {name!r} is missing ({cls.__name__} needs it).")


def _coerce(value: Any, hint: Any, path: str | Path, key: str, item: int | None = None) -> Any:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return value
    if origin in (typing.Union, types.UnionType):
        if value is None:
            return None
        (hint,) = [h for h in inner if h is not type(None)]
        return _coerce(value, hint, path, key, item)
    if dataclasses.is_dataclass(hint) and isinstance(value, dict):
        return build(hint, value, path)
    if origin is list and isinstance(value, list):
        return [_coerce(entry, inner[0], path, key, n) for n, entry in enumerate(value)]
    if origin is dict and isinstance(value, dict):
        return {_coerce(k, inner[0], path, str(k)): _coerce(v, inner[1], path, str(k)) for k, v in value.items()}
    if hint is float and is_number(value):
        return float(value)
    if type(value) is hint:
        return value
    refuse_value(value, {origin or hint}, f"{path}:{line_of(path, key, item)}: {key}")
