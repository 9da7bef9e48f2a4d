import csv
import gzip
import random

import pytest
from tuned_folder import PROMOTER, task_yaml

from dnahlm.inference import fitting, predict, queries
from dnahlm.inference.classify import classify
from dnahlm.inference.predict import PredictConfig, run
from dnahlm.io import InputError


def dna(n, seed=0):
    return "".join(random.Random(seed).choices("ACGT", k=n))


def fasta(path, sequences, names=None):
    names = names or [f"seq{i}" for i in range(len(sequences))]
    path.write_text("".join(f">{name} x\n{s}\n" for name, s in zip(names, sequences, strict=True)))
    return path


@pytest.fixture
def answer(tuned_folder, tmp_path):
    """Run predict on a file, return the rows of the output."""

    def ask(path, task="core_promoter", **options):
        output = tmp_path / "answers.csv"
        run(PredictConfig(str(tuned_folder), task, str(path), str(output), overwrite=True, **options))
        with output.open(newline="") as handle:
            return list(csv.DictReader(handle))

    return ask


def test_each_fasta_record_gets_a_row_with_label_and_probabilities(answer, tmp_path, loaded, capsys):
    sequences = [dna(70, i) for i in range(5)]
    rows = answer(fasta(tmp_path / "x.fa", sequences))
    assert list(rows[0]) == ["id", "label", "probability", "p(non-promoter)", "p(promoter)", "bases", "note"]
    assert [row["id"] for row in rows] == [f"seq{i}" for i in range(5)]
    expected = classify(loaded, loaded.tasks["core_promoter"], sequences)
    for row, p in zip(rows, expected, strict=True):
        assert float(row["p(promoter)"]) == pytest.approx(p[1], abs=1e-4)
        assert row["label"] == ["non-promoter", "promoter"][p.argmax()]
        assert float(row["probability"]) == pytest.approx(p.max(), abs=1e-4)
        assert (row["bases"], row["note"]) == ("70", "")
    printed = capsys.readouterr().out
    assert "mean of both strands" in printed and "zero-shot" not in printed
    assert "answered 5 sequences" in printed and "Not a clinical or diagnostic tool." in printed


def test_csv_and_fasta_give_the_same_answers(answer, tmp_path):
    sequences = [dna(60, i) for i in range(4)]
    from_fasta = answer(fasta(tmp_path / "x.fa", sequences), "splice_site")
    table = tmp_path / "x.csv"
    table.write_text("name,dna\n" + "".join(f"row{i},{s.lower()}\n" for i, s in enumerate(sequences)))
    from_csv = answer(table, "splice_site", sequence_column="dna", id_column="name")
    assert [row.pop("id") for row in from_csv] == [f"row{i}" for i in range(4)]
    assert [row.pop("id") for row in from_fasta] == [f"seq{i}" for i in range(4)]
    assert from_csv == from_fasta
    assert [row["id"] for row in answer(table, "splice_site", sequence_column="dna")] == ["1", "2", "3", "4"]


def test_gzip_input_and_small_chunks_change_nothing(answer, tmp_path, monkeypatch):
    path = fasta(tmp_path / "x.fa", [dna(20 + 9 * i, i) for i in range(7)])
    plain = answer(path, "splice_site")
    (tmp_path / "y.fa.gz").write_bytes(gzip.compress(path.read_bytes()))
    monkeypatch.setattr(predict, "CHUNK", 2)
    chunked = answer(tmp_path / "y.fa.gz", "splice_site")
    assert [row["label"] for row in plain] == [row["label"] for row in chunked]
    for a, b in zip(plain, chunked, strict=True):
        assert float(a["probability"]) == pytest.approx(float(b["probability"]), abs=1e-4)


def test_the_order_of_the_input_does_not_matter(answer, tmp_path):
    sequences, names = [dna(20 + 13 * i, i) for i in range(8)], [f"n{i}" for i in range(8)]
    forward = {row["id"]: row for row in answer(fasta(tmp_path / "a.fa", sequences, names), "splice_site")}
    backward = {row["id"]: row for row in answer(fasta(tmp_path / "b.fa", sequences[::-1], names[::-1]), "splice_site")}
    for name in names:
        assert float(forward[name]["p(donor)"]) == pytest.approx(float(backward[name]["p(donor)"]), abs=1e-4)


def test_changed_letters_and_unseen_lengths_are_noted(answer, tmp_path):
    (row,) = answer(fasta(tmp_path / "x.fa", ["RYK" + dna(20).lower()]))
    assert row["note"] == "3 IUPAC letters became N; outside the 70-70 bases seen in tuning"
    assert row["bases"] == "23"


def test_too_long_is_an_error_that_names_record_and_bases_and_writes_nothing(answer, tmp_path):
    path = fasta(tmp_path / "x.fa", [dna(70), dna(5000)])
    with pytest.raises(InputError, match=r"record 'seq1': 5,000 bases .* about [\d,]+ bases fit .* --too_long center"):
        answer(path)
    assert not list(tmp_path.glob("answers*"))


def test_too_long_center_asks_about_the_middle_of_the_trained_length(answer, tmp_path):
    long, middle = dna(5000), dna(5000)[2465:2535]
    rows = answer(fasta(tmp_path / "x.fa", [long, middle]), too_long="center")
    assert rows[0]["note"] == "middle 70 of 5,000 bases used" and rows[0]["bases"] == "5000"
    assert rows[0]["p(promoter)"] == rows[1]["p(promoter)"]


def test_a_task_window_of_policy_center_cuts_as_in_tuning_and_notes_it(answer, tmp_path):
    task = tmp_path / "windowed.yaml"
    task.write_text(task_yaml("windowed", {"0": "no promoter", "1": "promoter"}, PROMOTER, window=40, policy="center"))
    (row,) = answer(fasta(tmp_path / "x.fa", [dna(70)]), str(task))
    assert row["note"] == "middle 40 of 70 bases used"


def test_a_task_window_of_policy_error_refuses_longer_sequences(answer, tmp_path):
    task = tmp_path / "windowed.yaml"
    task.write_text(task_yaml("windowed", {"0": "no promoter", "1": "promoter"}, PROMOTER, window=40))
    path = fasta(tmp_path / "x.fa", [dna(70)])
    with pytest.raises(InputError, match="70 bases; task windowed takes at most 40"):
        answer(path, str(task))
    assert answer(path, str(task), too_long="center")[0]["note"] == "middle 40 of 70 bases used"


def test_a_task_file_the_model_was_not_tuned_on_is_called_zero_shot(answer, tmp_path, capsys):
    task = tmp_path / "new.yaml"
    task.write_text(task_yaml("new_task", {"0": "low", "1": "high"}, PROMOTER))
    rows = answer(fasta(tmp_path / "x.fa", [dna(50)]), str(task))
    assert "p(low)" in rows[0]
    assert "not tuned on task new_task: these answers are zero-shot" in capsys.readouterr().out


def test_an_unknown_task_is_named_with_those_the_model_knows(answer, tmp_path):
    with pytest.raises(InputError, match=r"core_promoter"):
        answer(fasta(tmp_path / "x.fa", [dna(50)]), "core_promotor")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("protein.fa", ">p\nMKVLAAGICWQESNRPTYVF\n", r"protein\.fa.*looks like a protein"),
        ("empty.fa", "", "the file is empty"),
        ("blank.fa", ">a\nACGTACGTAA\n>b\n\n", "'b'"),
        ("twice.fa", ">a\nACGTACGTAA\n>a\nACGTACGTAC\n", "'a'"),
        ("column.csv", "dna,label\nACGTACGT,1\n", r"column\.csv:1: no column 'sequence'"),
        ("hole.csv", "sequence,label\nACGTACGT,1\n,0\n", r"hole\.csv:3"),
        ("letters.csv", "sequence\nACGTACGT\nACGT-ACGT\n", r"letters\.csv:3: column 'sequence': '-' at base 5"),
        ("notes.txt", "ACGT\n", r"extension '\.txt'.*\.fa.*\.csv"),
    ],
)
def test_bad_input_is_named_and_nothing_is_written(answer, tmp_path, name, text, message):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        answer(path)
    assert not list(tmp_path.glob("answers*"))


def test_a_table_with_one_id_twice_is_refused(answer, tmp_path):
    (tmp_path / "x.csv").write_text("sequence,id\nACGTACGT,a\nACGTACGA,a\n")
    with pytest.raises(InputError, match=r"x\.csv:3: id 'a' was already used at .*x\.csv:2"):
        answer(tmp_path / "x.csv", id_column="id")


def test_an_existing_output_is_kept_unless_overwrite(tuned_folder, tmp_path):
    output = tmp_path / "answers.csv"
    output.write_text("precious")
    path = fasta(tmp_path / "x.fa", [dna(50)])
    with pytest.raises(InputError, match="--overwrite"):
        run(PredictConfig(str(tuned_folder), "splice_site", str(path), str(output)))
    assert output.read_text() == "precious"


def test_an_unknown_policy_is_refused(tuned_folder, tmp_path):
    with pytest.raises(InputError, match="allowed: error, center"):
        run(PredictConfig(str(tuned_folder), "splice_site", "x.fa", str(tmp_path / "o.csv"), too_long="cut"))


def test_centering_shrinks_until_the_middle_really_fits(loaded):
    spec = loaded.tasks["splice_site"]
    facts, loaded.task_facts = loaded.task_facts, {}
    try:
        # Ns cost a token each, so that the middle needs far more tokens per base than the whole does.
        query = queries.Query("q", dna(4000) + "N" * 600 + dna(4000, 1), "q", 8600)
        fitted = fitting.Fitter.of(loaded, spec, "center").fit(query)
    finally:
        loaded.task_facts = facts
    assert 0 < len(fitted.sequence) < 600
    assert classify(loaded, spec, [fitted.sequence]).shape == (1, 3)


def test_rows_below_the_confidence_abstain_and_are_counted(answer, tmp_path, capsys):
    path = fasta(tmp_path / "x.fa", [dna(60, i) for i in range(20)])
    plain = answer(path, "splice_site")
    threshold = float(sorted(row["probability"] for row in plain)[10])
    rows = answer(path, "splice_site", min_confidence=threshold)
    for row, before in zip(rows, plain, strict=True):
        sure = float(before["probability"]) >= threshold
        assert row == before | {"label": before["label"] if sure else "abstain"}
    n_abstained = sum(row["label"] == "abstain" for row in rows)
    assert 0 < n_abstained < 20 and f"{n_abstained} abstain below" in capsys.readouterr().out
    with pytest.raises(InputError, match="min_confidence: found 80"):
        answer(path, "splice_site", min_confidence=80)


def test_a_late_bad_record_is_told_before_any_row_is_answered(tuned_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(predict, "CHUNK", 2)
    monkeypatch.setattr(predict, "answer_chunk", lambda *_: pytest.fail("a row was answered"))
    path = fasta(tmp_path / "x.fa", [dna(30), dna(30, 1), dna(30, 2), "ACGTXACGT"])
    with pytest.raises(InputError, match="'X' at base 5"):
        run(PredictConfig(str(tuned_folder), "splice_site", str(path), str(tmp_path / "o.csv")))
