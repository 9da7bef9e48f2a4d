"""What must hold in a task file beyond its types; every refusal names the file, the line and the way out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from dnahlm.config import did_you_mean, line_of
from dnahlm.io import InputError
from dnahlm.tasks.prompt import OPTIONS_FIELD

if TYPE_CHECKING:
    from dnahlm.tasks.spec import TaskSpec

SPLITS = ("train", "validation", "test")
FORMATS = ("csv", "tsv")
KINDS = ("classification",)
POLICIES = ("error", "center")
METRIC_NAMES = ("mcc", "accuracy", "f1_macro", "auroc")
LEAST_PHRASINGS, LEAST_HELD_OUT = 8, 3


def check_quoted(labels: object, path: Path) -> None:
    """Refuse labels YAML did not read as text: a bare `no`, `yes` or `0` would match no cell of the table."""
    for pair in labels.items() if isinstance(labels, dict) else ():
        for item in pair:
            if not isinstance(item, str):
                raise InputError(
                    f"{path}:{line_of(path, 'labels')}: labels: found {item!r} ({type(item).__name__}) where text is "
                    "needed; YAML reads a bare no, yes or 0 as something else. Quote keys and answers, "
                    'as in "no": "no" or "0": "no".'
                )


def check_task(spec: TaskSpec) -> None:
    """Check what the types alone do not say.

    Raises:
        InputError: with file, line, what was found and what is allowed.
    """
    if not re.fullmatch(r"[a-z0-9_]+", spec.id):
        fail(spec, "id", f"{spec.id!r} may hold only a-z, 0-9 and _ (it names files and columns).")
    check_known(spec, "kind", [spec.kind], KINDS)
    check_known(spec, "metrics", spec.metrics, METRIC_NAMES)
    check_known(spec, "window.policy", [spec.window.policy], POLICIES)
    if spec.window.bases < 0 or (spec.window.policy == "center" and spec.window.bases == 0):
        fail(
            spec,
            "window",
            f"{spec.window.bases} bases with policy {spec.window.policy!r}; center needs 1 base or more.",
        )
    check_source(spec)
    check_labels(spec)
    check_phrasings(spec)


def check_source(spec: TaskSpec) -> None:
    """Every split has exactly one origin: a file, or a share of the train file."""
    source = spec.source
    check_known(spec, "source.format", [source.format], FORMATS)
    check_known(spec, "source.files", list(source.files), SPLITS)
    check_known(spec, "source.hold_out", list(source.hold_out), SPLITS[1:])
    for split in SPLITS:
        origins = (split in source.files) + (split in source.hold_out)
        if origins != 1:
            found = "both in files and in hold_out" if origins else "neither in files nor in hold_out"
            fail(spec, "source", f"split {split!r} is {found}; name it once. hold_out takes a share of the train file.")
    shares = source.hold_out.values()
    if any(not 0 < share < 1 for share in shares) or sum(shares) >= 1:
        fail(spec, "source.hold_out", f"shares {dict(source.hold_out)} must each be above 0 and together below 1.")


def check_labels(spec: TaskSpec) -> None:
    """At least two labels, each with its own one-line answer."""
    words = list(spec.labels.values())
    if len(words) < 2:
        fail(spec, "labels", f"{len(words)} label; a question needs at least 2 possible answers.")
    for word in words:
        if word != word.strip() or not word or "\n" in word:
            fail(spec, "labels", f"answer {word!r} must be one line without blanks at its ends.")
        if words.count(word) > 1:
            fail(spec, "labels", f"answer {word!r} stands for more than one label; give each its own.")


def check_phrasings(spec: TaskSpec) -> None:
    """Enough different questions, each one line with `{options}` once and no other field."""
    for key, least in (("phrasings", LEAST_PHRASINGS), ("held_out_phrasings", LEAST_HELD_OUT)):
        given = getattr(spec, key)
        if len(given) < least:
            fail(spec, key, f"{len(given)} given; at least {least} are needed.")
        for text in given:
            if text.count(OPTIONS_FIELD) != 1:
                fail(
                    spec,
                    key,
                    f"{text!r} must hold {OPTIONS_FIELD} exactly once; the possible answers are listed there.",
                )
            if found := re.search(r"\{[^}]*\}?|\}", text.replace(OPTIONS_FIELD, "")):
                fail(spec, key, f"{text!r}: unknown field {found.group()!r}; only {OPTIONS_FIELD} is filled in.")
            if "\n" in text or text != text.strip():
                fail(spec, key, f"{text!r} must be one line without blanks at its ends.")
    every = [*spec.phrasings, *spec.held_out_phrasings]
    for text in every:
        if every.count(text) > 1:
            fail(
                spec,
                "phrasings",
                f"{text!r} is there {every.count(text)} times; held-out ones must be new to the model.",
            )


def check_known(spec: TaskSpec, key: str, found: list[str], known: tuple[str, ...]) -> None:
    """Each of `found` is one of `known`, and there is at least one unless they are optional."""
    if not found and key == "metrics":
        fail(spec, key, f"none given; choose from {', '.join(known)}.")
    for item in found:
        if item not in known:
            fail(spec, key, f"{item!r} is not known. {did_you_mean(item, known)}")


def fail(spec: TaskSpec, key: str, problem: str) -> None:
    """Raise `InputError` with the file and the line of `key`; `source.files` stands inside `source`."""
    line = max(line_of(spec.path, part) for part in key.split("."))  # the inner key may share the outer one's line
    raise InputError(f"{spec.path}:{line}: task {spec.id}: {key}: {problem}")
