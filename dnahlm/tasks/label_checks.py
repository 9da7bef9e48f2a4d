"""What must hold for the kind of a task, and for the words of its answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dnahlm.tasks.checks import KINDS, check_known, check_phrasing, fail

if TYPE_CHECKING:
    from dnahlm.tasks.spec import TaskSpec

# key -> the one kind it belongs to
KEY_OF_KIND = {"none_label": "multilabel", "decimals": "regression", "levels": "hierarchical"}


def check_kind(spec: TaskSpec) -> None:
    """A known kind, with the keys it needs and none of another kind."""
    check_known(spec, "kind", [spec.kind], KINDS)
    for key, kind in KEY_OF_KIND.items():
        value = getattr(spec, key)
        if spec.kind == kind and value is None:
            fail(spec, "kind", f"{kind} needs the key {key!r}.")
        if spec.kind != kind and value is not None:
            fail(spec, key, f"belongs to kind {kind}; this task is of kind {spec.kind}. Remove it.")
    if spec.separator != ";" and spec.kind != "multilabel":
        fail(spec, "separator", f"belongs to kind multilabel; this task is of kind {spec.kind}. Remove it.")
    if spec.decimals is not None and not 0 <= spec.decimals <= 10:
        fail(spec, "decimals", f"{spec.decimals}; must be 0 to 10 digits after the point.")
    if spec.levels is not None and spec.levels < 1:
        fail(spec, "levels", f"{spec.levels}; must be 1 or more.")
    if not spec.separator.strip() and spec.separator != " ":
        fail(spec, "separator", f"{spec.separator!r}; must be a sign such as ; or one blank.")


def check_answers(spec: TaskSpec) -> None:
    """At least two labels where the kind has labels, on one line each, each with its own one-line answer."""
    for label in spec.labels:
        if "\n" in label:
            fail(spec, "labels", f"label {label!r} must be one line; no cell of a table holds more.")
    if spec.kind == "regression":
        if spec.labels:
            fail(spec, "labels", "a regression answers with a number; remove the labels.")
        return
    if not spec.labels and spec.kind == "hierarchical":
        return
    check_words(spec, "labels", list(spec.labels.values()))
    if spec.kind == "multilabel":
        for label in spec.labels:
            if spec.separator in label:
                fail(spec, "labels", f"label {label!r} holds the separator {spec.separator!r}. Choose another one.")
        if spec.none_label in spec.labels:
            fail(spec, "none_label", f"{spec.none_label!r} is also a label; the cell would say both. Choose another.")


def check_words(spec: TaskSpec, key: str, words: Sequence[str]) -> None:
    """At least two answers, one line each, all different; those of a multilabel can be joined and parted again."""
    if len(words) < 2:
        fail(spec, key, f"{len(words)} given; a question needs at least 2 possible answers.")
    for word in words:
        if word != word.strip() or not word or "\n" in word:
            fail(spec, key, f"answer {word!r} must be one line without blanks at its ends.")
        if words.count(word) > 1:
            fail(spec, key, f"answer {word!r} stands for more than one label; give each its own.")
        if spec.kind == "multilabel" and ", " in word:
            fail(spec, key, f"answer {word!r} holds ', ', which parts the answers of one row. Reword it.")
        if word == spec.none_label:
            fail(spec, key, f"answer {word!r} is also the `none_label`, the answer without any label. Reword one.")


def check_other_words(spec: TaskSpec) -> None:
    """Alternative labels and named wordings speak of the same labels."""
    if spec.alternative_labels:
        check_same_labels(spec, "alternative_labels", list(spec.alternative_labels))
        if len({len(words) for words in spec.alternative_labels.values()}) > 1:
            fail(spec, "alternative_labels", "give every label the same number of words; the first go together.")
        for words in zip(*spec.alternative_labels.values(), strict=True):
            check_words(spec, "alternative_labels", words)
            if known := set(words) & set(spec.labels.values()):
                fail(spec, "alternative_labels", f"{sorted(known)} are answers already; these must be new words.")
    for name, wording in spec.wordings.items():
        check_phrasing(spec, f"wordings.{name}", wording.phrasing, lists_options=False)
        check_same_labels(spec, f"wordings.{name}", list(wording.labels))
        check_words(spec, f"wordings.{name}", list(wording.labels.values()))


def check_same_labels(spec: TaskSpec, key: str, found: list[str]) -> None:
    """`found` are the keys of `labels`."""
    if set(found) != set(spec.labels):
        fail(spec, key, f"is for {sorted(found)}, but the labels are {sorted(spec.labels)}. Give one for each.")
