"""The ways in which the same rows are asked: other words, examples, the other strand, and controls that take DNA away.

Each gives the rows again as instruction records, with the words that stand for the task's answers in them.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from dnahlm.dna import reverse_complement
from dnahlm.evaluation.rows import TaskRows
from dnahlm.evaluation.shuffle import shuffle_pairs
from dnahlm.evaluation.suite import Suite
from dnahlm.evaluation.wording import EXAMPLES, bare, take_apart
from dnahlm.tasks.kinds import with_dna
from dnahlm.tasks.records import Draw


@dataclass
class Way:
    """N rows asked in one way, or the reason why they cannot be."""

    name: str
    records: list[dict]
    words: list[str]  # K, in the order of the task's answers
    problem: str = ""


def other_ways(rows: TaskRows, suite: Suite, seen_words: Sequence[str], seed: int, head: bool) -> Iterator[Way]:
    """Yield every way the suite wants besides the plain one.

    Args:
        rows: the task and its N rows.
        suite: says which ways.
        seen_words: answers the model was tuned to give; a way with unseen label words takes none of them.
        seed: of the examples and the shuffling.
        head: the model reads the sequence only, so that a question's words make no difference.
    """
    options, asked = rows.options, rows.asked
    if suite.strands and rows.spec.strand_symmetric:
        yield Way("other_strand", [changed(r, reverse_complement) for r in asked], options)
    if "shuffled" in suite.controls:
        records = [changed(r, shuffler(f"{seed} {r['id']}")) for r in asked]
        yield Way("shuffled", records, options)
    if head:
        return
    if rows.held_out is not None:
        yield Way("held_out", rows.held_out, options)
    if suite.label_words and options:
        yield with_label_words(rows, seen_words)
    for k in suite.few_shot:
        yield with_examples(rows, k, seed)
    if "no_dna" in suite.controls:
        yield Way("no_dna", [r | {"input": ""} for r in asked], options)
    if "option_order" in suite.controls and options:
        yield with_turned_options(rows)


def changed(record: dict, change: Callable[[str], str]) -> dict:
    """A record with `change` done to its DNA."""
    return record | {"input": with_dna(record["input"], change)}


def shuffler(seed: str) -> Callable[[str], str]:
    """Shuffles one row's sequences, the same way whenever it is asked for."""
    rng = random.Random(seed)
    return lambda sequence: shuffle_pairs(sequence, rng)


def with_label_words(rows: TaskRows, seen_words: Sequence[str]) -> Way:
    """The rows with the first alternative words of the task of which the model was tuned on none."""
    spec, none = rows.spec, Way("label_words", [], [])
    sets = list(zip(*(spec.alternative_labels[label] for label in spec.labels), strict=True)) if (
        spec.alternative_labels) else []  # fmt: skip
    # The standard words are new to a model that was tuned on the alternative ones, and the other way round.
    known = {bare(word) for word in (*seen_words, *rows.options)}
    words = next((list(found) for found in sets if not {bare(word) for word in found} & known), None)
    if words is None:
        none.problem = "no alternative_labels in the task file that the model was not tuned on" if sets else (
            "the task file has no alternative_labels")  # fmt: skip
        return none
    questions = [take_apart(spec, record, rows.options) for record in rows.asked]
    if any(q is None or q.behind for q in questions):
        none.problem = "the questions are not phrasings of the task file, or hold examples with the usual words"
        return none
    records = [r | {"instruction": q.write(words)} for r, q in zip(rows.asked, questions, strict=True) if q]
    return Way("label_words", records, words)


def with_turned_options(rows: TaskRows) -> Way:
    """The rows with the answers listed in the opposite order."""
    questions = [take_apart(rows.spec, record, rows.options) for record in rows.asked]
    if any(q is None for q in questions):
        return Way("option_order", [], [], "the questions list no answers, or are not phrasings of the task file")
    records = [
        r | {"instruction": q.write(rows.options, q.order[::-1])}
        for r, q in zip(rows.asked, questions, strict=True) if q
    ]  # fmt: skip
    return Way("option_order", records, rows.options)


def with_examples(rows: TaskRows, k: int, seed: int) -> Way:
    """The rows with k answered train rows in the question, answers in turn, drawn for each row by the seed.

    An example never has a sequence of the row, on either strand. They are written as `dnahlm instructions build
    --examples` writes them.
    """
    way = Way(f"few_shot_{k}", [], rows.options)
    if any(EXAMPLES in record["instruction"] for record in rows.asked):
        way.problem = "the instructions already show examples"
        return way
    pool: dict[str, list[dict]] = {}
    for record in rows.train:
        if record["strand"] == "+":
            pool.setdefault(record["output"] if rows.options else "", []).append(record)
    if sum(map(len, pool.values())) < k + 1:
        way.problem = f"the instructions have fewer than {k + 1} train rows"
        return way
    for record in rows.asked:
        lines = [f"{one_line(r['input'])} -> {r['output']}" for r in examples(record, pool, k, seed)]
        if len(lines) < k:
            way.records, way.problem = [], f"too few train rows for {k} examples"
            return way
        way.records.append(record | {"instruction": record["instruction"] + EXAMPLES + "\n".join(lines)})
    return way


def examples(record: dict, pool: dict[str, list[dict]], k: int, seed: int) -> list[dict]:
    """At most k train records for one row, one of each answer in turn in a drawn order."""
    draw = Draw(f"{seed}:{record['id']}:few_shot")
    order = draw.ordered(sorted(pool))
    forbidden = {record["input"], changed(record, reverse_complement)["input"]}
    chosen: list[dict] = []
    for n in range(k):
        group = pool[order[n % len(order)]]
        start = draw.below(len(group))
        for step in range(len(group)):
            other = group[(start + step) % len(group)]
            if other["input"] not in forbidden:
                forbidden.add(other["input"])
                chosen.append(other)
                break
    return chosen


def one_line(input: str) -> str:
    r"""A record's input in an example.

    >>> one_line("DNA: ATG\nProtein: M")
    'DNA: ATG; Protein: M'
    """
    return input.replace("\n", "; ")
