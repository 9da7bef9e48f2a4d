import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnahlm.dna import reverse_complement
from dnahlm.evaluation.rows import TaskRows
from dnahlm.evaluation.suite import Suite
from dnahlm.evaluation.ways import other_ways
from dnahlm.evaluation.wording import listed_order, take_apart
from dnahlm.tasks.prompt import fill_phrasing
from dnahlm.tasks.spec import Source, TaskSpec

ANSWERS = ["non-promoter", "promoter"]


def spec(**more):
    fields = {
        "id": "t", "version": 1, "description": "", "citation": "", "licence": "", "source": Source(),
        "phrasings": ["Is it {options}?", "Say {options}."], "held_out_phrasings": ["New: {options}!"],
        "metrics": ["mcc"], "labels": {"0": ANSWERS[0], "1": ANSWERS[1]},
        "alternative_labels": {"0": ["ordinary DNA", "off"], "1": ["gene start", "on"]}, "strand_symmetric": True,
    }  # fmt: skip
    return TaskSpec(**(fields | more))


def row(i, sequence, answer, instruction="Is it promoter or non-promoter?", phrasing="train-0", strand="+"):
    return {
        "id": f"t-test-{i}", "task": "t", "instruction": instruction, "input": sequence, "output": answer,
        "label": str(ANSWERS.index(answer)), "phrasing": phrasing, "strand": strand, "source": f"f:{i}",
    }  # fmt: skip


TRAIN = [row(100 + i, "ACGTACGG" + "ACGT"[i % 4] * (i + 2), ANSWERS[i % 2]) for i in range(12)]
ASKED = [row(0, "AACCGTACCA", "promoter"), row(1, "TTGACAATTG", "non-promoter")]


def ways(asked=ASKED, task=None, seen=(), head=False, **suite):
    rows = TaskRows(task or spec(), asked, len(asked), None, TRAIN, [])
    return {w.name: w for w in other_ways(rows, Suite("s", "d", **suite), seen, 0, head)}


@given(st.permutations(["donor", "acceptor", "neither", "a or b", "a", "b"]))
def test_the_order_of_listed_options_is_read_back(order):
    options = sorted(order)
    found = listed_order(fill_phrasing("{options}", order), options)
    assert [options[k] for k in found] == list(order)


def test_an_instruction_that_is_not_its_phrasing_is_not_taken_apart():
    assert take_apart(spec(), row(0, "A", "promoter", "Is it x or y?"), ANSWERS) is None
    assert take_apart(spec(), row(0, "A", "promoter", phrasing="train-9"), ANSWERS) is None
    assert take_apart(spec(), row(0, "A", "promoter"), ANSWERS).order == [1, 0]


def test_label_words_take_the_place_of_the_answers_in_the_same_order():
    way = ways(label_words=True)["label_words"]
    assert way.words == ["ordinary DNA", "gene start"]
    assert way.records[0]["instruction"] == "Is it gene start or ordinary DNA?"
    assert way.records[0]["input"] == ASKED[0]["input"]


def test_label_words_the_model_was_tuned_on_are_passed_over():
    assert ways(label_words=True, seen=["gene start"])["label_words"].words == ["off", "on"]
    none = ways(label_words=True, seen=["gene start", "on"])["label_words"]
    assert not none.records
    assert "not tuned on" in none.problem


def test_option_order_is_turned_and_nothing_else():
    way = ways(controls=["option_order"])["option_order"]
    assert way.records[0] == ASKED[0] | {"instruction": "Is it non-promoter or promoter?"}
    assert way.words == ANSWERS


def test_controls_take_the_order_or_all_of_the_dna_away():
    found = ways(controls=["shuffled", "no_dna"])
    assert {r["input"] for r in found["no_dna"].records} == {""}
    for before, after in zip(ASKED, found["shuffled"].records, strict=True):
        assert sorted(before["input"]) == sorted(after["input"])
        assert after["instruction"] == before["instruction"]
    assert found["shuffled"].records == ways(controls=["shuffled"])["shuffled"].records


def test_the_other_strand_is_asked_only_where_the_task_has_no_direction():
    assert ways()["other_strand"].records[0]["input"] == reverse_complement(ASKED[0]["input"])
    assert "other_strand" not in ways(task=spec(strand_symmetric=False))


def test_proteins_have_no_other_strand_and_are_not_shuffled():
    asked = [row(0, "DNA: ATGGCC\nProtein: MA", "promoter")]
    found = ways(asked, controls=["shuffled"])
    assert found["other_strand"].records[0]["input"] == "DNA: GGCCAT\nProtein: MA"
    assert found["shuffled"].records[0]["input"].endswith("\nProtein: MA")


@pytest.mark.parametrize("k", [1, 2, 5])
def test_examples_are_train_rows_of_each_answer_in_turn_and_never_the_row(k):
    twin = row(7, reverse_complement(TRAIN[0]["input"]), TRAIN[0]["output"])
    way = ways([*ASKED, twin], few_shot=[k])[f"few_shot_{k}"]
    train = {r["input"]: r["output"] for r in TRAIN}
    for record in way.records:
        question, examples = record["instruction"].split("\nExamples:\n")
        assert question == "Is it promoter or non-promoter?"
        pairs = [line.split(" -> ") for line in examples.split("\n")]
        assert len({sequence for sequence, _ in pairs}) == k
        assert all(train[sequence] == answer for sequence, answer in pairs)
        counts = [sum(a == answer for _, a in pairs) for answer in ANSWERS]
        assert abs(counts[0] - counts[1]) <= 1
    assert TRAIN[0]["input"] not in way.records[-1]["instruction"]


def test_too_many_examples_are_not_asked_and_the_reason_is_said():
    way = ways(few_shot=[12])["few_shot_12"]
    assert not way.records
    assert way.problem == "the instructions have fewer than 13 train rows"


def test_a_head_is_asked_only_what_changes_the_sequence():
    found = ways(head=True, label_words=True, few_shot=[1], controls=["shuffled", "no_dna", "option_order"])
    assert set(found) == {"other_strand", "shuffled"}
