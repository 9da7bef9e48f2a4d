"""`predict` for pairs, and for kinds whose answers are no fixed list."""

import csv
import random

import numpy as np
import pytest
from tuned_folder import PROMOTER, task_yaml

from dnahlm.inference.classify import classify, task_prompt
from dnahlm.inference.label_sets import MANY_LABELS
from dnahlm.inference.predict import PredictConfig, run
from dnahlm.inference.scorer import probabilities, score
from dnahlm.io import InputError
from dnahlm.tasks.spec import load_task
from dnahlm.tasks.written import read_answer

COLUMNS = {
    "pair": "{reference: ref, alternative: alt, label: y}",
    "dna_protein_pair": "{sequence: dna, protein: aa, label: y}",
}


def dna(n, seed=0):
    return "".join(random.Random(seed).choices("ACGT", k=n))


@pytest.fixture
def answer(tuned_folder, tmp_path):
    """Run predict on a table of these lines, return the rows of the output."""

    def ask(task, *lines, name="x.csv", **options):
        (tmp_path / name).write_text("\n".join(lines) + "\n")
        output = tmp_path / "answers.csv"
        run(PredictConfig(str(tuned_folder), task, str(tmp_path / name), str(output), overwrite=True, **options))
        with output.open(newline="") as handle:
            return list(csv.DictReader(handle))

    return ask


def pair_task(path, kind="pair"):
    text = task_yaml("pairs", {"0": "other", "1": "same"}, PROMOTER).replace("kind: classification", f"kind: {kind}")
    path.write_text(text.replace("columns: {sequence: sequence, label: label}", f"columns: {COLUMNS[kind]}"))
    return str(path)


def test_pairs_are_read_from_the_columns_of_their_task(answer, tmp_path, loaded):
    task = pair_task(tmp_path / "pairs.yaml")
    rows = answer(task, "name,alt,ref", f"a,{dna(30, 1)},{dna(40)}", f"b,{dna(20, 2)},{dna(20, 2)}", id_column="name")
    inputs = [f"Reference: {dna(40)}\nAlternative: {dna(30, 1)}", f"Reference: {dna(20, 2)}\nAlternative: {dna(20, 2)}"]
    expected = classify(loaded, load_task(task), inputs)
    assert [row["id"] for row in rows] == ["a", "b"] and [row["bases"] for row in rows] == ["70", "40"]
    np.testing.assert_allclose([float(row["p(same)"]) for row in rows], expected[:, 1], atol=1e-5)


def test_dna_and_protein_are_read_as_a_pair(answer, tmp_path, loaded):
    task = pair_task(tmp_path / "pairs.yaml", "dna_protein_pair")
    (row,) = answer(task, "dna,aa", "ATGAAAGTTTAA,mkv*")
    expected = classify(loaded, load_task(task), ["DNA: ATGAAAGTTTAA\nProtein: MKV*"])
    assert row["bases"] == "12" and float(row["p(same)"]) == pytest.approx(expected[0, 1], abs=1e-5)
    with pytest.raises(InputError, match=r"x\.csv:2: column 'aa': 'J' at residue 4"):
        answer(task, "dna,aa", "ATGAAAGTTTAA,MKVJ")


def test_pairs_in_a_fasta_file_or_too_long_for_the_model_are_refused(answer, tmp_path):
    task = pair_task(tmp_path / "pairs.yaml")
    with pytest.raises(
        InputError, match=r"asks about reference and alternative; give a CSV or TSV file with .* ref, alt"
    ):
        answer(task, ">a", dna(20), name="x.fa")
    with pytest.raises(InputError, match=r"x\.csv:2: 3,040 bases .* tokens with the question"):
        answer(task, "alt,ref", f"{dna(3000)},{dna(40)}", too_long="center")
    with pytest.raises(InputError, match="reads the columns ref, alt of its task file"):
        answer(task, "alt,ref", f"{dna(30)},{dna(40)}", sequence_column="alt")


def written_task(path, kind, more, labels=None):
    labels = labels or {}
    text = task_yaml("written", labels, PROMOTER).replace("kind: classification", f"kind: {kind}") + more
    metric = {"regression": "spearman", "multilabel": "f1_micro", "hierarchical": "level_accuracy"}[kind]
    text = text.replace("metrics: [mcc, accuracy]", f"metrics: [{metric}]")
    path.write_text(text if labels else text.replace("labels: {}\n", "").replace("{options}", "it"))
    return str(path)


@pytest.mark.parametrize(
    ("kind", "more", "valid", "invalid"),
    [
        ("regression", "decimals: 1\n", ["1.5", "-3"], ["nan", "much", "", "1_0", "1e5", " 1"]),
        ("multilabel", "none_label: none\n", ["0, 3", "none", "3"], ["0, 0", "other", "", "none, 0"]),
        ("hierarchical", "levels: 2\n", ["1.2", "1.-"], ["1", "a b.c", ""]),
    ],
)
def test_kinds_without_a_list_of_answers_are_answered_by_what_the_model_writes(
    answer, tmp_path, capsys, kind, more, valid, invalid
):
    labels = {str(n): str(n) for n in range(MANY_LABELS + 1)} if kind == "multilabel" else {}
    task = written_task(tmp_path / "task.yaml", kind, more, labels)
    spec = load_task(task)
    assert all(read_answer(spec, text) is not None for text in valid)
    assert all(read_answer(spec, text) is None for text in invalid)
    rows = answer(task, "sequence", *(dna(40, i) for i in range(3)))
    assert list(rows[0]) == ["id", "label", "valid", "bases", "note"]
    for row in rows:  # random weights write no answer
        assert (row["label"], row["valid"]) == ("", "invalid") and "wrote " in row["note"]
    assert "0 valid, 3 invalid" in capsys.readouterr().out
    with pytest.raises(InputError, match="written and have no probability"):
        answer(task, "sequence", dna(40), min_confidence=0.5)


def test_sets_of_a_few_labels_have_probabilities_and_one_can_abstain(answer, tmp_path, loaded, capsys):
    labels = {"0": "low", "1": "high"}
    task = written_task(tmp_path / "task.yaml", "multilabel", "none_label: none\n", labels)
    rows = answer(task, "sequence", *(dna(40, i) for i in range(5)))
    assert list(rows[0]) == ["id", "label", "probability", "p(low)", "p(high)", "bases", "note"]
    sets = ["none", "low", "high", "low, high"]
    prompts = [task_prompt(loaded, load_task(task), dna(40, i)) for i in range(5)]
    shares = probabilities(score(loaded.model, loaded.tokenizer, prompts, sets))
    for row, p in zip(rows, shares, strict=True):
        assert row["label"] == sets[p.argmax()] and float(row["probability"]) == pytest.approx(p.max(), abs=1e-5)
        assert float(row["p(low)"]) == pytest.approx(p[1] + p[3], abs=1e-5)
        assert float(row["p(high)"]) == pytest.approx(p[2] + p[3], abs=1e-5)
    assert "each set of labels scored" in capsys.readouterr().out
    unsure = answer(task, "sequence", dna(40, 0), min_confidence=1.0)
    assert unsure[0]["label"] == "abstain" and unsure[0]["p(low)"] == rows[0]["p(low)"]
    with pytest.raises(InputError, match="only answers of a list can be averaged"):
        answer(task, "sequence", dna(40), ensemble=["phrasings"])
