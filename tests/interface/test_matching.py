import pytest

from dnahlm.interface.matching import is_wording, match_task
from dnahlm.tasks.prompt import fill_phrasing
from dnahlm.tasks.spec import answers, load_task, shipped_tasks


def match(loaded, question, n_bases=None):
    found = match_task(question, loaded.tasks, loaded.task_facts, n_bases)
    return found.task.id if found else None


def test_every_phrasing_of_a_task_means_that_task(loaded):
    for name, spec in loaded.tasks.items():
        for phrasing in [*spec.phrasings, *spec.held_out_phrasings]:
            assert match(loaded, fill_phrasing(phrasing, answers(spec)[::-1])) == name, phrasing


def test_a_wording_of_the_task_is_known_in_any_order_of_its_answers_and_nothing_else_is(loaded):
    spec = loaded.tasks["splice_site"]
    for phrasing in [*spec.phrasings, *spec.held_out_phrasings]:
        for words in (answers(spec), answers(spec)[::-1]):
            assert is_wording(fill_phrasing(phrasing, words), spec), phrasing
    whole = fill_phrasing(spec.phrasings[0], answers(spec))
    for other in (
        "",
        whole[:-1],
        f"{whole} ",
        whole.replace("donor", "giver"),
        fill_phrasing(spec.phrasings[0], ["a"]),
    ):
        assert not is_wording(other, spec), other


@pytest.mark.parametrize(
    ("question", "task"),
    [
        ("Is this a promoter?", "core_promoter"),
        ("is this sequence a PROMOTER or not", "core_promoter"),
        ("Is this a splice site, and which?", "splice_site"),
        ("donor or acceptor?", "splice_site"),
        ("Hello, who are you?", None),
        ("What is the capital of France?", None),
        ("Translate this into protein.", None),
        ("", None),
    ],
)
def test_own_words_are_matched_or_not(loaded, question, task):
    assert match(loaded, question) == task


def test_tasks_worded_alike_are_told_apart_by_length(loaded):
    spec = loaded.tasks["core_promoter"]
    tasks = {"short": spec, "long": spec}
    facts = {"short": {"min_bases": 70, "max_bases": 70}, "long": {"min_bases": 300, "max_bases": 300}}
    for n_bases, first, other in ((70, "short", "long"), (300, "long", "short")):
        found = match_task("Is this a promoter?", tasks, facts, n_bases)
        assert found.also == (other,)
        assert list(tasks)[["short", "long"].index(first)] == first


def test_a_model_without_tasks_matches_nothing():
    assert match_task("Is this a promoter?", {}, {}, 70) is None


@pytest.mark.slow
def test_every_phrasing_of_every_shipped_task_finds_a_task_with_its_answers():
    tasks = {name: load_task(name) for name in shipped_tasks()}
    for spec in tasks.values():
        for phrasing in [*spec.phrasings, *spec.held_out_phrasings]:
            found = match_task(fill_phrasing(phrasing, answers(spec)[::-1]), tasks, {}, None)
            assert sorted(answers(found.task)) == sorted(answers(spec)), phrasing
