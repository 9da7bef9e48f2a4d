import gzip
import shutil

import pytest

from dnahlm.io import InputError
from dnahlm.tasks.sources import local_path
from dnahlm.tasks.spec import answers, load_task, shipped_tasks

TASK = (
    """\
id: my_task
version: 1
description: "A task made for a test."
citation: "none"
licence: "CC0-1.0"
source:
  format: csv
  files:
    train: train.csv
    test: test.csv
  hold_out: {validation: 0.1}
labels: {"no": background, "1": binding site}
phrasings:
"""
    + "".join(f'  - "Question {i}? {{options}}."\n' for i in range(8))
    + """\
held_out_phrasings:
  - "New 0? {options}."
  - "New 1? {options}."
  - "New 2? {options}."
metrics: [mcc, accuracy]
"""
)

FASTA = """\
  format: fasta
  filter: {species: human}
  class_files: {train: {"no": a.fa, "1": b.fa}, test: {"no": c.fa, "1": d.fa}}
"""


@pytest.fixture
def write(tmp_path):
    """Write the task with some text replaced; every piece to be replaced must be there."""

    def write(*replacements):
        text = TASK
        for old, new in replacements:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "my_task.yaml"
        path.write_text(text)
        return path

    return write


def line_number(path, start):
    return next(n for n, line in enumerate(path.read_text().splitlines(), 1) if line.strip().startswith(start))


def test_a_task_is_read_with_its_defaults(write):
    path = write()
    spec = load_task(path)
    assert spec.path == path
    assert (spec.kind, spec.columns) == ("classification", {"sequence": "sequence", "label": "label"})
    assert (spec.window.bases, spec.window.policy) == (0, "error")
    assert not spec.strand_symmetric
    assert not spec.simulated


def test_answers_keep_the_order_of_the_file(write):
    assert answers(load_task(write())) == ["background", "binding site"]


def test_a_shipped_task_is_found_by_its_id():
    assert load_task("core_promoter").path == shipped_tasks()["core_promoter"]


def test_a_misspelt_task_name_gets_a_suggestion():
    with pytest.raises(InputError, match="Did you mean 'core_promoter'"):
        load_task("core_promotor")


def test_a_task_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none.yaml: no such file"):
        load_task(tmp_path / "none.yaml")


def test_a_misspelt_key_is_refused_with_its_line_and_a_suggestion(write):
    path = write(("version: 1", "version: 1\nstrand_symetric: true"))
    with pytest.raises(InputError) as error:
        load_task(path)
    assert f"{path}:3: unknown key 'strand_symetric'" in str(error.value)
    assert "Did you mean 'strand_symmetric'" in str(error.value)


def test_a_misspelt_inner_key_is_refused(write):
    with pytest.raises(InputError, match=r"unknown key 'holdout'. Did you mean 'hold_out'"):
        load_task(write(("hold_out:", "holdout:")))


def test_a_missing_key_is_named(write):
    with pytest.raises(InputError, match="key 'licence' is missing"):
        load_task(write(('licence: "CC0-1.0"\n', "")))


@pytest.mark.parametrize("bare", ["no", "yes", "on", "0", "1.5", "null"])
def test_a_bare_label_key_must_be_quoted(write, bare):
    path = write(('"no":', f"{bare}:"))
    with pytest.raises(InputError, match=r"[Qq]uote") as error:
        load_task(path)
    assert f"{path}:{line_number(path, 'labels')}: labels" in str(error.value)


def test_a_bare_no_as_an_answer_must_be_quoted(write):
    with pytest.raises(InputError, match=r"found False \(bool\).*Quote"):
        load_task(write(('"no": background', '"no": no')))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("id: my_task", "id: My-Task", "a-z, 0-9 and _"),
        ("version: 1", "version: one", "where a whole number is needed"),
        ("version: 1", "version: 0", "version: 0; must be 1 or more"),
        ("    test: test.csv", "    test: train.csv", "files: 'train.csv' is there twice"),
        ("format: csv", "format: cvs", "'cvs' is not known. Did you mean 'csv'"),
        ("    test: test.csv", "    dev: test.csv", "'dev' is not known"),
        ("    train: train.csv\n", "", "'train' is neither in files nor in hold_out"),
        ("hold_out: {validation: 0.1}", "hold_out: {}", "'validation' is neither in files nor in hold_out"),
        ("hold_out: {validation: 0.1}", "hold_out: {validation: 0.1, test: 0.1}", "'test' is both in files and in hold_out"),
        ("validation: 0.1", "validation: 1.0", "below 1"),
        ("validation: 0.1", "validation: 0", "above 0"),
        ("    test: test.csv\n  hold_out: {validation: 0.1}", "  hold_out: {validation: 0.5, test: 0.5}", "together below 1"),
        (', "1": binding site', "", "at least 2 possible answers"),
        ("binding site", "background", "more than one label"),
        ("binding site", '" binding site"', "without blanks at its ends"),
        ('  - "Question 7? {options}."\n', "", "7 given; at least 8"),
        ('  - "New 2? {options}."\n', "", "2 given; at least 3"),
        ("Question 3? {options}.", "Question 3?", "{options} exactly once"),
        ("Question 3? {options}.", "Question 3? {options} or {options}.", "{options} exactly once"),
        ("Question 3? {options}.", "Is {sequence} a gene? {options}.", "unknown field '{sequence}'"),
        ("New 1? {options}.", "New 1? {options} {label}.", "unknown field '{label}'"),
        ("Question 3? {options}.", "Question 3 }? {options}.", "unknown field '}'"),
        ("Question 3? {options}.", r"Question 3?\n\n{options}.", "must be one line"),
        ("New 1? {options}.", "Question 4? {options}.", "is there already, on line 18"),
        ("metrics: [mcc, accuracy]", "metrics: [mcc, acuracy]", "'acuracy' is not known. Did you mean 'accuracy'"),
        ("metrics: [mcc, accuracy]", "metrics: []", "none given; choose from mcc"),
        ("metrics: [mcc, accuracy]", "metrics: [mcc, mcc]", "one is there twice"),
        ("metrics:", "window: {bases: 50, policy: middle}\nmetrics:", "'middle' is not known. Known: center, error"),
        ("metrics:", "window: {policy: center}\nmetrics:", "center needs 1 base"),
        ("metrics:", "window: {bases: -1}\nmetrics:", "-1 bases"),
        ("metrics:", "window: {bases: 9, policy: slide, overlap: 9}\nmetrics:", "overlap of 9 bases"),
        ("metrics:", "window: {bases: 9, overlap: 3}\nmetrics:", "only slide has one"),
        ("metrics:", "kind: clasification\nmetrics:", "Did you mean 'classification'"),
        ("metrics:", "kind: regression\nmetrics:", "regression needs the key 'decimals'"),
        ("metrics: [mcc, accuracy]", "kind: regression\ndecimals: 2\nmetrics: [mae]", "remove the labels"),
        ("metrics: [mcc", "kind: regression\ndecimals: 2\nmetrics: [mcc", "Known: mae, pearson, rmse, spearman"),
        ("metrics: [mcc, accuracy]", "kind: hierarchical\nlevels: 1\nmetrics: [level_accuracy]", "'level_accuracy' is not known"),
        ("metrics:", "kind: hierarchical\nmetrics:", "hierarchical needs the key 'levels'"),
        ("metrics:", "levels: 3\nmetrics:", "belongs to kind hierarchical"),
        ("metrics:", "kind: multilabel\nmetrics:", "multilabel needs the key 'none_label'"),
        ("metrics:", "kind: pair\ncolumns: {sequence: a}\nmetrics:", "kind pair has two sequences"),
        ("metrics:", "kind: dna_protein_pair\ncolumns: {dna: a, protein: b}\nmetrics:", "has sequence, protein and label"),
        ("metrics:", "columns: {sequence: a, label: a}\nmetrics:", "column 'a' is named 2 times"),
        ("metrics:", "columns: {sequence: a, other: b}\nmetrics:", "'other' is not known"),
        ("metrics:", 'alternative_labels: {"no": [unbound]}\nmetrics:', "is for ['no'], but the labels are ['1', 'no']"),
        ("metrics:", 'alternative_labels: {"no": [a, b], "1": [c]}\nmetrics:', "the same number of words"),
        ("metrics:", 'alternative_labels: {"no": [a], "1": [background]}\nmetrics:', "['background'] are answers already"),
        ("metrics:", 'wordings: {old: {phrasing: "Which {options}?", labels: {"no": a, "1": b}}}\nmetrics:', "not filled in here"),
        ("metrics:", 'wordings: {old: {phrasing: "Which?", labels: {"1": b}}}\nmetrics:', "wordings.old: is for ['1']"),
        ("  hold_out:", "  hold_out_by: gene\n  hub: a/b\n  hold_out:", "go together"),
        ("  hold_out:", "  genome: hg38.fa\n  hold_out:", "format bed and"),
        ("format: csv", "format: fasta", "one file per label"),
        ("  format: csv\n  files:\n    train: train.csv\n    test: test.csv\n", FASTA, "no column 'species' to choose rows by"),
        ("labels:", "  hold_out_by: similarity\nkind: pair\nlabels:", "similarity looks at one sequence"),
        ("  hold_out:", "  hub: a/b\n  hub_splits: {train: train}\n  hold_out:", "has ['train'], the files are for ['test', 'train']"),
    ],
)  # fmt: skip
def test_what_a_task_file_must_not_say_is_refused(write, old, new, said):
    path = write((old, new))
    with pytest.raises(InputError) as error:
        load_task(path)
    assert said in str(error.value)
    assert str(error.value).startswith(f"{path}:")


@pytest.mark.parametrize(("key", "old"), [("phrasings", "Question 3?"), ("held_out_phrasings", "New 1?")])
def test_a_phrasing_at_fault_is_reported_at_its_own_line(write, key, old):
    path = write((f"{old} {{options}}.", f"{old} {{sequence}} {{options}}."))
    with pytest.raises(InputError, match=r"unknown field '\{sequence\}'") as error:
        load_task(path)
    line = next(n for n, text in enumerate(path.read_text().splitlines(), 1) if old in text)
    assert str(error.value).startswith(f"{path}:{line}: task my_task: {key}: ")


def test_a_refusal_names_the_line_of_the_key(write):
    path = write(('  - "New 2? {options}."\n', ""))
    with pytest.raises(InputError, match=f":{line_number(path, 'held_out_phrasings')}: task my_task: held_out"):
        load_task(path)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("Question 3? {options}.", "Does {gene} bind? {options}.", "unknown field '{gene}'"),
        ("New 1? {options}.", "Which?", "{options} exactly once"),
        ('"Question 3? {options}."', "{options} it is", "expected"),
        ('"Question 3? {options}."', "77", "found 77 where text is needed"),
        ('"Question 3? {options}."', "{gene}", "Put it in quotes"),
        ("New 1? {options}.", "Question 4? {options}.", "is there already, on line"),
    ],
)
def test_what_is_wrong_with_a_phrasing_is_told_with_its_own_line(write, old, new, said):
    path = write((old, new))
    with pytest.raises(InputError) as error:
        load_task(path)
    lines = [n for n, line in enumerate(path.read_text().splitlines(), 1) if new in line]
    assert str(error.value).startswith(f"{path}:{lines[-1]}:")
    assert said in str(error.value)


def test_a_source_file_may_be_gzipped(write, tmp_path):
    with gzip.open(tmp_path / "train.csv.gz", "wt") as handle:
        handle.write("sequence,label\nACGT,1\n")
    assert local_path(load_task(write()), tmp_path, "train.csv", "split train").name == "train.csv.gz"


def test_the_plain_file_is_taken_before_the_gzipped_one(write, tmp_path):
    (tmp_path / "train.csv").write_text("sequence,label\nACGT,1\n")
    with (tmp_path / "train.csv").open("rb") as plain, gzip.open(tmp_path / "train.csv.gz", "wb") as zipped:
        shutil.copyfileobj(plain, zipped)
    assert local_path(load_task(write()), tmp_path, "train.csv", "split train").name == "train.csv"


def test_a_missing_table_says_task_file_root_and_option(write, tmp_path):
    with pytest.raises(InputError) as error:
        local_path(load_task(write()), tmp_path / "elsewhere", "test.csv", "split test")
    for word in ("my_task.yaml:6", str(tmp_path / "elsewhere" / "test.csv"), "--data_root", "there is no folder"):
        assert word in str(error.value)
