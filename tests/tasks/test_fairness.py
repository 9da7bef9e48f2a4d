import random

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dnahlm.corpus.pieces import Piece
from dnahlm.corpus.write import schema
from dnahlm.dna import reverse_complement
from dnahlm.io import InputError
from dnahlm.tasks.fairness import remove_leaks
from dnahlm.tasks.leak_report import leak_counts
from dnahlm.tasks.leaks.corpus import find_in_corpus, overlapping
from dnahlm.tasks.rows import Reading
from dnahlm.tasks.spec import load_task
from dnahlm.tasks.spool import Rows, Spool
from dnahlm.tasks.table import TaskTable


def dna(n, size=100, seed=0):
    rng = random.Random(seed)
    return ["".join(rng.choices("ACGT", k=size)) for _ in range(n)]


def mutated(text, seed=0):
    """Five substitutions in 100 bases."""
    rng, letters = random.Random(seed), list(text)
    for place in rng.sample(range(len(text)), len(text) // 20):
        letters[place] = rng.choice("ACGT".replace(letters[place], ""))
    return "".join(letters)


@pytest.fixture
def table(desk):
    def make(name="mine", proteins=None, **splits):
        spool, rows = Spool(), {}
        for split in ("train", "validation", "test"):
            sequences = splits.get(split, [])
            for i, sequence in enumerate(sequences):
                protein = (proteins or {}).get(split, [""] * len(sequences))[i]
                spool.add(str(i), Reading("0", sequence, protein=protein), f"{name}_{split}.csv:{i + 2}")
            numbers = np.arange(len(spool) - len(sequences), len(spool))
            rows[split] = Rows(spool, numbers, f"{name}-{split}-")
        return TaskTable(load_task(str(desk.filled(name))), rows, {})

    return make


@pytest.fixture
def corpus(tmp_path):
    def write(documents, split="train"):
        folder = tmp_path / "corpus" / split
        folder.mkdir(parents=True)
        rows = [
            Piece(f"genome.fa:chr1:{i}", kind, text, "genome.fa", 0, len(text), "+", "chr1", 0)._asdict()
            for i, (kind, text) in enumerate(documents)
        ]
        pq.write_table(pa.Table.from_pylist(rows, schema=schema()), folder / "part-00000.parquet")
        return folder.parent

    return write


def left(table, split):
    return [row.sequence for row in table.rows[split]]


def test_a_near_duplicate_of_a_test_row_leaves_train_and_takes_the_flag_away(table):
    known, clean, other = dna(3)
    mine = table(train=[reverse_complement(mutated(known)), other], validation=dna(1, seed=1), test=[known, clean])
    report = remove_leaks([mine])
    assert left(mine, "train") == [other]
    assert [row.clean for row in mine.rows["test"]] == [False, True]
    (leak,) = report["leaks"]
    assert (leak["kind"], leak["rows"], leak["against_rows"]) == ("near", 1, 1)
    (example,) = leak["examples"]
    assert example["source"] == "mine_train.csv:2"
    assert example["against_source"] == "mine_test.csv:2"
    assert 0.15 <= example["similarity"] < 1
    assert report["test_rows"] == {"mine": {"rows": 2, "by_train": 1, "in_corpus": 0, "clean": 1, "share_clean": 0.5}}
    assert mine.counts["test_rows_given_away"] == 1


def test_near_duplicates_stay_where_they_are_not_asked_for(table):
    known, other = dna(2)
    mine = table(train=[mutated(known), known[10:60], other], validation=dna(1, seed=1), test=[known])
    report = remove_leaks([mine], near=False)
    assert left(mine, "train") == [mutated(known), other]
    assert [leak["kind"] for leak in report["leaks"]] == ["contained"]
    assert report["search"] == {}


def test_a_sister_task_gives_a_test_row_away(table):
    known, other = dna(2)
    mine = table("mine", train=[other], validation=dna(1, seed=1), test=[known])
    sister = table("sister", train=["GATTACA" + known], validation=dna(1, seed=2), test=dna(1, seed=3))
    report = remove_leaks([mine, sister])
    assert left(sister, "train") == []
    assert [row.clean for row in (*mine.rows["test"], *sister.rows["test"])] == [False, True]
    assert leak_counts(report) == {"sister/train -> mine/test: contained": 1}


def test_validation_loses_what_leaks_into_test_and_train_what_leaks_into_validation(table):
    known, held, other = dna(3)
    mine = table(train=[mutated(held), other], validation=[mutated(known), held], test=[known])
    report = remove_leaks([mine])
    assert (left(mine, "validation"), left(mine, "train")) == ([held], [other])
    assert report["removed_rows"] == {"validation": {"mine": 1}, "train": {"mine": 1}}
    assert [row.clean for row in mine.rows["test"]] == [True]  # no train row gave it away


def test_what_the_pretraining_corpus_holds_is_counted_and_not_removed(table, corpus):
    held, near, only_text, clean = dna(4)
    genome = dna(1, 600, seed=9)[0]
    folder = corpus([("dna", genome + reverse_complement(held) + genome), ("dna", mutated(near)), ("text", only_text)])
    mine = table(train=dna(1, seed=1), validation=dna(1, seed=2), test=[held, near, only_text, clean])
    report = remove_leaks([mine], corpus=folder)
    assert [row.clean for row in mine.rows["test"]] == [False, False, True, True]
    found = {entry["kind"]: entry for entry in report["corpus"]}
    assert {kind: entry["rows"] for kind, entry in found.items()} == {"contained": 1, "near": 1}
    (example,) = found["contained"]["examples"]
    assert example == {"id": "mine-test-0", "source": "mine_test.csv:2", "document": "genome.fa:chr1:0"}
    assert report["test_rows"]["mine"] == {
        "rows": 4, "by_train": 0, "in_corpus": 2, "clean": 2, "share_clean": 0.5
    }  # fmt: skip
    assert leak_counts(report)["pretraining corpus -> mine/test: contained"] == 1


def test_proteins_in_common_are_reported_in_kinds_of_their_own_and_remove_nothing(table):
    protein = "MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQAPILSRV"
    proteins = {
        "train": [protein, protein[5:30], protein[:20] + "W" + protein[21:], "GATTACAGATTACA"],
        "test": [protein, "TGTAATCTGTAATC"],  # the second is no strand of the last of train
    }
    mine = table(proteins=proteins, train=dna(4), validation=dna(1, seed=1), test=dna(2, seed=2))
    report = remove_leaks([mine])
    assert report["leaks"] == []
    assert len(mine.rows["train"]) == 4
    assert [row.clean for row in mine.rows["test"]] == [True, True]
    assert leak_counts(report) == {
        f"mine/train -> mine/test: protein_{kind}": 1 for kind in ("exact", "contained", "near")
    }
    (near,) = [entry for entry in report["proteins"] if entry["kind"] == "protein_near"]
    assert near["examples"] == [
        {
            "id": "mine-train-2", "source": "mine_train.csv:4", "against_id": "mine-test-0",
            "against_source": "mine_test.csv:2", "similarity": 0.975,
        }
    ]  # fmt: skip


def test_the_most_telling_document_is_named(corpus):
    (known,) = dna(1)
    folder = corpus([("dna", mutated(known, 1)), ("dna", known), ("dna", mutated(known, 2))])
    assert find_in_corpus([known], folder)[0].document == "genome.fa:chr1:1"


def test_a_corpus_without_train_documents_is_refused(table, corpus):
    folder = corpus([("dna", "ACGT")], split="validation")
    with pytest.raises(InputError, match="holds no parquet file"):
        remove_leaks([table(train=["A"], validation=["C"], test=["G"])], corpus=folder)


@pytest.mark.parametrize("size", [1, 7, 8, 9, 50])
def test_pieces_of_a_document_hold_all_its_windows(size):
    text = dna(1, size)[0]
    pieces = list(overlapping(text, 2))
    assert all(any(text[i : i + 2] in piece for piece in pieces) for i in range(size))
    assert max(map(len, pieces)) <= 8


def test_a_test_row_is_given_away_also_by_train_rows_that_contradict_or_repeat_each_other(desk):
    task = desk.filled()
    twice, repeated = desk.dna(60)[50:52]
    with (desk.root / "mine_train.csv").open("a") as handle:
        handle.write(f"{twice},0\n{twice},1\n{repeated},1\n{repeated},1\n")
    manifest, splits = desk.build(task)
    assert manifest["counts"]["leaks"] == {"mine/train -> mine/test: exact": 4}
    assert [record["clean"] for record in splits["test"]] == [False, False] + [True] * 8
    assert len(splits["train"]) == 40
    assert manifest["counts"]["mine"]["table"]["leaking_rows_train"] == 1  # the others had left before


def test_what_the_search_cannot_tell_is_in_the_report(table, corpus):
    mine = table(train=dna(1), validation=dna(1, seed=1), test=["ACGTACGT", *dna(1, seed=2)])
    report = remove_leaks([mine], corpus=corpus([("dna", dna(1, seed=3)[0])] * 3))
    for name in ("corpus", "validation", "train"):
        assert report["search"][name]["near_sequences_not_searched"] == 1
