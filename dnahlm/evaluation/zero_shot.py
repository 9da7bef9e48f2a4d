"""How new a question is to a model, in four degrees: rows, phrasing, label words, task. Told from manifests alone.

Unseen rows: a tuned task in words of its tuning, rows that were not in it. Unseen phrasing and unseen label words:
such a task, asked or answered in words that no tuned task had. Unseen task: none of its rows were tuned on. Each degree
names the column of the report that measures it, or none when no column deserves the name or nothing is known.
"""

import dataclasses
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from dnahlm.evaluation.provenance import Seen, is_still
from dnahlm.evaluation.rows import TaskRows
from dnahlm.evaluation.wording import bare, phrasing_of
from dnahlm.manifest import FILE_NAME, parse_manifest, sha256
from dnahlm.tasks.instructions import read_instructions
from dnahlm.tasks.kinds import sequences_in
from dnahlm.tasks.leaks.find import LeakSearch
from dnahlm.tasks.prompt import OPTIONS_FIELD
from dnahlm.tasks.spec import TaskSpec

DEGREES = ("unseen_rows", "unseen_phrasing", "unseen_label_words", "unseen_task")


@dataclasses.dataclass
class Overlap:
    """Whether the rows that are asked were compared with all rows the model was tuned on, and what that found."""

    checked: bool
    given_away: set[str] = dataclasses.field(default_factory=set)  # ids of rows that tuned rows give away
    shared_files: set[str] = dataclasses.field(default_factory=set)  # other tuned tasks with one of its data files
    own_rows: int = 0  # of its train rows, how many sequences were tuned on, under whatever name


def overlap(seen: Seen, folder: Path, rows: TaskRows) -> Overlap:
    """Compare the rows of a task with those of every tuning, exactly and for near-duplicates, on either strand.

    The build of an instructions folder has already kept its own train and test rows apart. Other instructions are
    searched if they still lie where the manifest says; else only the hashes of data files are compared. The data files
    and the train rows of the task tell whether it was tuned on under another name, with the same test rows kept apart.
    """
    result = Overlap(True)
    digest = sha256(folder / FILE_NAME)
    files = data_files(parse_manifest(folder / FILE_NAME), rows.spec.id)
    for source in seen.instructions:
        built = source.get("manifest") or {}
        result.shared_files |= {task for task in seen.tasks - {rows.spec.id} if files & data_files(built, task)}
        if source.get("sha256") == digest:
            continue
        if not is_still(Path(source["path"]), source.get("sha256")):
            result.checked = False
            continue
        tuned = tuned_dna(Path(source["path"]) / "train.jsonl")
        result.given_away |= given_away(tuned, rows.asked)
        result.own_rows += len({dna for record in rows.train for dna in dna_of(record)}.intersection(tuned))
    return result


def data_files(manifest: dict[str, Any], task: str) -> set[str]:
    """Hashes of the tables a task's rows were read from."""
    found = manifest.get("inputs", {})
    return {entry["sha256"] for name, entry in found.items() if name.startswith(f"{task}/") and "sha256" in entry}


@lru_cache(maxsize=1)  # the next task is compared with the same rows
def tuned_dna(path: Path) -> list[str]:
    """Every sequence of a file of train rows, once; their other strands need no second look."""
    records = read_instructions(path)
    return sorted({dna for record in records if record["strand"] == "+" for dna in dna_of(record)})


def given_away(tuned: Sequence[str], asked: Iterable[dict]) -> set[str]:
    """Ids of the asked records that a tuned sequence equals, holds, lies in or nearly equals, on either strand."""
    test, owners = [], []
    for record in asked:
        for dna in dna_of(record):
            test.append(dna)
            owners.append(record["id"])
    return {owners[leak.test_index] for leak in LeakSearch(test).leaks(tuned)}


def dna_of(record: dict) -> list[str]:
    """The DNA of a record, proteins left out."""
    lines = zip(record["input"].split("\n"), sequences_in(record["input"]), strict=True)
    return [dna for line, dna in lines if dna and not line.startswith("Protein: ")]


def marked(rows: TaskRows, found: Overlap) -> TaskRows:
    """The same rows, those that tuned rows give away no longer called clean."""
    if not found.given_away:
        return rows
    asked = [r | {"clean": False} if r["id"] in found.given_away else r for r in rows.asked]
    return dataclasses.replace(rows, asked=asked)


def degrees(seen: Seen, rows: TaskRows, ways: Iterable[str], split: str, found: Overlap) -> dict[str, str | None]:
    """Degree -> the way that measures it, or None."""
    result: dict[str, str | None] = dict.fromkeys(DEGREES)
    plain, ways, n = "scored" if rows.options else "generated", set(ways), len(rows.asked)
    if not seen.known or len(found.given_away) == n:
        return result
    if rows.spec.id not in seen.tasks:
        result["unseen_task"] = None if found.shared_files or found.own_rows else plain
        return result
    if split != "test" or not found.checked:
        return result
    phrasing_is_new = unseen(texts_of(rows, rows.asked), seen.phrasings)
    words_are_new = bool(rows.options) and unseen(set(rows.options), seen.words)
    if not phrasing_is_new and not words_are_new:
        result["unseen_rows"] = plain
    if not seen.complete:
        return result
    if phrasing_is_new:
        result["unseen_phrasing"] = plain
    elif "held_out" in ways and rows.held_out and unseen(texts_of(rows, rows.held_out), seen.phrasings):
        result["unseen_phrasing"] = "held_out"
    if words_are_new:
        result["unseen_label_words"] = plain
    elif "label_words" in ways:  # asked with words that are not among the seen ones
        result["unseen_label_words"] = "label_words"
    return result


def texts_of(rows: TaskRows, records: Iterable[dict]) -> set[str | None]:
    """The phrasings of the records; None among them when one is unknown, or is not what the record asks."""
    return {phrasing_in(rows.spec, record) for record in records}


def phrasing_in(spec: TaskSpec, record: dict) -> str | None:
    """The phrasing a record names, if its question is made from it: a task file may have been edited since."""
    before, _, after = (phrasing_of(spec, record) or "").partition(OPTIONS_FIELD)
    asked = record["instruction"]
    fits = asked.startswith(before) and after in asked[len(before) :]
    return phrasing_of(spec, record) if fits else None


def unseen(texts: set[str | None], seen: set[str]) -> bool:
    """Whether all texts are known and none was seen, signs and capitals aside.

    >>> unseen({"Is it a donor?"}, {"is it a donor"}), unseen({"What is it?"}, {"is it a donor"}), unseen({None}, set())
    (False, True, False)
    """
    return None not in texts and not {bare(text) for text in texts if text} & {bare(text) for text in seen}


def status_of(seen: Seen, rows: TaskRows, split: str, found: Overlap) -> str:
    """In words, whether a model has seen a task and its rows: from its manifests, not from anyone's word."""
    if not seen.known:
        return "unknown: the model has no manifest"
    given, n = len(found.given_away), len(rows.asked)
    if given:
        rest = f"{given:,} of {n:,} rows given away by rows it was tuned on"
    elif found.shared_files and rows.spec.id not in seen.tasks:
        rest = f"but rows from the data files of {', '.join(sorted(found.shared_files))}, which it was tuned on"
    elif found.own_rows and rows.spec.id not in seen.tasks:
        rest = f"but {found.own_rows:,} of the sequences of its train rows were tuned on under another name"
    elif not found.checked:
        rest = "rows of other instructions: not checked for overlap"
    elif split == "test":
        rest = "unseen rows"
    else:
        rest = "rows the calibration has seen"
    if rows.spec.id in seen.tasks:
        return f"seen task, {rest}"
    return "unseen task" if rest in ("unseen rows", "rows the calibration has seen") else f"unseen task, {rest}"
