"""What must hold in a task file beyond its types; every refusal names the file, the line and the way out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dnahlm.config import did_you_mean, line_of
from dnahlm.io import InputError
from dnahlm.tasks.prompt import OPTIONS_FIELD

if TYPE_CHECKING:
    from dnahlm.tasks.spec import TaskSpec

SPLITS = ("train", "validation", "test")
# kind -> metrics that are measured of it; of a hierarchy with labels, those of a choice
CHOICE_METRICS = ("mcc", "accuracy", "f1_macro", "auroc")
METRICS_OF_KIND = {
    "classification": CHOICE_METRICS,
    "pair": CHOICE_METRICS,
    "dna_protein_pair": CHOICE_METRICS,
    "hierarchical": ("exact_match", "level_accuracy"),
    "multilabel": ("f1_micro", "f1_macro", "exact_match"),
    "regression": ("pearson", "spearman", "mae", "rmse"),
}
KINDS = tuple(METRICS_OF_KIND)
POLICIES = ("error", "center", "slide")
LEAST_PHRASINGS, LEAST_HELD_OUT = 8, 3


def check_quoted(labels: object, path: Path, key: str = "labels") -> None:
    """Refuse labels YAML did not read as text: a bare `no`, `yes` or `0` would match no cell of the table."""
    for pair in labels.items() if isinstance(labels, dict) else ():
        for item in (pair[0], *(pair[1] if isinstance(pair[1], list) else pair[1:])):
            if not isinstance(item, str):
                raise InputError(
                    f"{path}:{line_of(path, key)}: {key}: found {item!r} ({type(item).__name__}) where text is "
                    "needed; YAML reads a bare no, yes or 0 as something else. Quote keys and answers, "
                    'as in "no": "no" or "0": "no".'
                )


def check_task(spec: TaskSpec) -> None:
    """Check what the types alone do not say.

    Raises:
        InputError: the first problem, with file, line, what was found and what is allowed.
    """
    for problem in problems(spec):
        raise problem


def problems(spec: TaskSpec) -> Iterator[InputError]:
    """Yield what is wrong with a task file: every phrasing at fault, and one problem of each other part."""
    from dnahlm.tasks.label_checks import check_answers, check_kind, check_other_words
    from dnahlm.tasks.source_checks import check_columns, check_splits, check_where

    checks: list[Callable[[TaskSpec], None]] = [
        check_name, check_kind, check_metrics, check_window, check_where, check_splits, check_columns, check_answers,
        check_other_words, check_different,
    ]  # fmt: skip
    for key, least in (("phrasings", LEAST_PHRASINGS), ("held_out_phrasings", LEAST_HELD_OUT)):
        checks.append(partial(check_enough, key=key, least=least))
        for item, text in enumerate(getattr(spec, key)):
            checks.append(partial(check_phrasing, key=key, text=text, lists_options=bool(spec.labels), item=item))
    for check in checks:
        try:
            check(spec)
        except InputError as error:
            yield error


def check_name(spec: TaskSpec) -> None:
    """The id names files and columns; versions count from 1."""
    if not re.fullmatch(r"[a-z0-9_]+", spec.id):
        fail(spec, "id", f"{spec.id!r} may hold only a-z, 0-9 and _ (it names files and columns).")
    if spec.version < 1:
        fail(spec, "version", f"{spec.version}; must be 1 or more.")


def check_metrics(spec: TaskSpec) -> None:
    """At least one metric, each of those that suit the kind, none of them twice."""
    if spec.kind not in KINDS:  # which is reported as such
        return
    known = CHOICE_METRICS if spec.kind == "hierarchical" and spec.labels else METRICS_OF_KIND[spec.kind]
    if not spec.metrics:
        fail(spec, "metrics", f"none given; choose from {', '.join(known)}.")
    check_known(spec, "metrics", spec.metrics, known)
    if len(set(spec.metrics)) < len(spec.metrics):
        fail(spec, "metrics", f"{spec.metrics}: one is there twice. Keep one of each.")


def check_window(spec: TaskSpec) -> None:
    """A policy, and the bases it needs."""
    window = spec.window
    check_known(spec, "window.policy", [window.policy], POLICIES)
    if window.bases < 0:
        fail(spec, "window", f"{window.bases} bases; must be 0 (no limit of its own) or more.")
    if window.policy != "error" and window.bases == 0:
        fail(spec, "window", f"0 bases with policy {window.policy!r}; {window.policy} needs 1 base or more.")
    if window.overlap and (window.policy != "slide" or not 0 < window.overlap < window.bases):
        fail(spec, "window", f"overlap of {window.overlap} bases; only slide has one, from 0 to `bases` - 1.")
    if window.policy == "slide" and len(spec.sequence_columns) > 1:
        fail(spec, "window", f"slide cuts one sequence; kind {spec.kind} has two. Use error or center.")
    if window.policy == "center" and spec.kind == "dna_protein_pair":
        fail(spec, "window", "center would cut the DNA and not the protein. Use error, or cut the table's rows.")


def check_enough(spec: TaskSpec, key: str, least: int) -> None:
    """So many phrasings at least."""
    if (n := len(getattr(spec, key))) < least:
        fail(spec, key, f"{n} given; at least {least} are needed.")


def check_different(spec: TaskSpec) -> None:
    """No phrasing is there twice."""
    seen: dict[str, tuple[str, int]] = {}  # text -> where it is
    for key in ("phrasings", "held_out_phrasings"):
        for item, text in enumerate(getattr(spec, key)):
            if text in seen:
                line = line_of(spec.path, *seen[text])
                fail(spec, key, f"{text!r} is there already, on line {line}. Each must be new.", item)
            seen[text] = key, item


def check_phrasing(spec: TaskSpec, key: str, text: str, lists_options: bool, item: int | None = None) -> None:
    """One line; `{options}` exactly once or, where there are none to list, not at all; no other field."""
    if found := re.search(r"\{[^}]*\}?|\}", text.replace(OPTIONS_FIELD, "")):
        only = f"only {OPTIONS_FIELD} is filled in" if lists_options else "nothing is filled in here"
        fail(spec, key, f"{text!r}: unknown field {found.group()!r}; {only}.", item)
    if lists_options and text.count(OPTIONS_FIELD) != 1:
        fail(
            spec, key, f"{text!r} must hold {OPTIONS_FIELD} exactly once; the possible answers are listed there.", item
        )
    if not lists_options and OPTIONS_FIELD in text:
        fail(spec, key, f"{text!r} holds {OPTIONS_FIELD}, which is not filled in here. Say it in words.", item)
    if "\n" in text or text != text.strip() or not text:
        fail(spec, key, f"{text!r} must be one line without blanks at its ends.", item)


def check_known(spec: TaskSpec, key: str, found: list[str], known: tuple[str, ...]) -> None:
    """Each of `found` is one of `known`."""
    for item in found:
        if item not in known:
            fail(spec, key, f"{item!r} is not known. {did_you_mean(item, known)}")


def fail(spec: TaskSpec, key: str, problem: str, item: int | None = None) -> None:
    """Raise `InputError` with the file and the line of `key`, or of an item of its list; `a.b` is `b` inside `a`."""
    # The inner key may share the outer one's line.
    line = line_of(spec.path, key, item) if item is not None else max(line_of(spec.path, k) for k in key.split("."))
    raise InputError(f"{spec.path}:{line}: task {spec.id}: {key}: {problem}")
