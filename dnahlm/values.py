"""One value of a config file against the type hint of its field, and the words for what does not fit."""

import dataclasses
import json
import types
import typing
from typing import Any, NoReturn

from dnahlm.io import InputError

# What a value must be, in an error message.
WORDS = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    list: "a list such as [a, b]",
    dict: "a mapping of `key: value`",
}


def check_value(value: Any, hint: Any, where: str) -> None:
    """Check one value of a recipe. YAML 1.1 reads `2e-5` as text, which the parser still makes a float.

    Raises:
        InputError: it is not of a type that `hint` admits.
    """
    allowed = members_of(hint)
    if allowed - set(WORDS) - {type(None)}:  # an upstream type of its own, such as an enum: upstream checks it
        return
    if isinstance(value, list) and list in allowed:
        for item in value:
            check_value(item, item_of(hint), where)
    elif not (type(value) in allowed or (float in allowed and is_number(value))):
        refuse_value(value, allowed, where)


def refuse_value(value: Any, allowed: set[Any], where: str) -> NoReturn:
    """Raise `InputError`: what was found, what is needed, and how to write it."""
    found = "nothing" if value is None else f"{'the text ' if isinstance(value, str) else ''}{value!r}"
    needed = " or ".join(WORDS.get(kind) or keys_of(kind) for kind in allowed if kind is not type(None))
    advice = ""
    if str in allowed and isinstance(value, bool):
        word = "yes" if value else "no"
        advice = f' YAML reads a bare yes, no, on, off as true or false. Quote it, as in "{word}".'
    elif str in allowed and value is not None and not isinstance(value, (list, dict)):
        advice = f' Quote it, as in "{value}".'
    elif str in allowed and isinstance(value, dict):
        advice = " YAML reads text that begins with { or holds `: ` as a mapping. Put it in quotes."
    elif allowed == {list} and isinstance(value, str):
        advice = f" Write [{value}]."
    raise InputError(f"{where}: found {found} where {needed} is needed.{advice}")


def keys_of(cls: type) -> str:
    """What a nested dataclass is in YAML."""
    return f"a mapping with keys of {', '.join(field.name for field in dataclasses.fields(cls))}"


def is_number(value: Any) -> bool:
    """Whether a value is a number or text that spells one."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return False
    try:
        float(value)
    except ValueError:
        return False
    return True


def members_of(hint: Any) -> set[Any]:
    """The plain types a hint admits: `Optional[float]` -> {float, NoneType}."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return set().union(*(members_of(h) for h in typing.get_args(hint)))
    return {typing.get_origin(hint) or hint}


def item_of(hint: Any) -> Any:
    """The type of a list's items: `list[str] | None` -> str; Any when it is not said."""
    for member in (hint, *typing.get_args(hint)):
        if typing.get_origin(member) is list:
            return typing.get_args(member)[0]
    return Any


def read_object(text: str, option: str, example: str) -> dict[str, Any]:
    """A mapping as typed behind an option: JSON.

    Raises:
        InputError: not a JSON object, or a key given twice.

    >>> read_object('{"a": 1}', "repeats", '{"splice_site": 4}')
    {'a': 1}
    """

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            raise InputError(f"{option}: found {text!r}, which has a key twice. Keep one.")
        return dict(pairs)

    try:
        mapping = json.loads(text, object_pairs_hook=once)
    except InputError:
        raise
    except ValueError:
        mapping = None
    if not isinstance(mapping, dict):
        raise InputError(f"{option}: found {text!r}; a JSON object such as '{example}' is needed.")
    return mapping
