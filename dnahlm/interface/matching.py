"""Which tuned task a free question means: TF-IDF cosine between its words and the task's phrasings."""

import re
from collections import Counter
from dataclasses import dataclass
from math import log, sqrt

from dnahlm.evaluation.wording import listed_order
from dnahlm.tasks.prompt import OPTIONS_FIELD, fill_phrasing
from dnahlm.tasks.spec import TaskSpec, answers

THRESHOLD = 0.35  # cosine from which a question counts as a task's question
NEARLY = 0.9  # tasks within this share of the best cosine are told apart by the length of the sequence
# Words of any question; without them "what is the capital of" would be like "what is the kind of".
_FUNCTION = (
    "a an and any are as at be below by can could do does for from has have here how i in into is it its "
    "me no not of on one or out so tell that the then there these this to was what where whether which "
    "who why will with would you your"
)
FUNCTION_WORDS = frozenset(_FUNCTION.split())
_WORD = re.compile(r"[a-z0-9]+")


@dataclass(frozen=True)
class Match:
    """The task a question means, how alike they are (0..1), and other tasks it could mean as well."""

    task: TaskSpec
    cosine: float
    also: tuple[str, ...] = ()
    in_its_words: bool = False  # the question is one of the task's own wordings


def match_task(
    question: str, tasks: dict[str, TaskSpec], facts: dict[str, dict[str, int]], n_bases: int | None
) -> Match | None:
    """The tuned task whose phrasings are most like the question, None when none is like it.

    Args:
        question: the user's words.
        tasks: by id.
        facts: id -> min_bases and max_bases seen in tuning; decides between tasks that are worded alike.
        n_bases: length of the sequence, None when there is none yet.
    """
    documents = [(name, words(text)) for name, spec in tasks.items() for text in task_texts(spec)]
    if not documents:
        return None
    asked = words(question)
    frequency = Counter(word for _, document in documents for word in set(document))
    # A word in every phrasing still counts a little for a match; a word in none counts fully against it.
    weight = {word: 1 + log((1 + len(documents)) / (1 + frequency[word])) for word in {*frequency, *asked}}
    best: dict[str, float] = {}
    for name, document in documents:
        best[name] = max(best.get(name, 0.0), cosine(asked, document, weight))
    top = max(best.values())
    if top < THRESHOLD:
        return None

    def rank(name: str) -> tuple[bool, bool, float]:
        seen = facts.get(name)
        fits = bool(seen) and n_bases is not None and seen["min_bases"] <= n_bases <= seen["max_bases"]
        return is_wording(question, tasks[name]), fits, best[name]

    close = sorted((name for name in best if best[name] >= NEARLY * top), key=rank, reverse=True)
    return Match(tasks[close[0]], best[close[0]], tuple(close[1:]), is_wording(question, tasks[close[0]]))


def is_wording(question: str, spec: TaskSpec) -> bool:
    """Whether a question is a phrasing of the task file, held-out ones too, with the answers listed in any order."""
    for phrasing in (*spec.phrasings, *spec.held_out_phrasings):
        before, field, after = phrasing.partition(OPTIONS_FIELD)
        listed = question.removeprefix(before).removesuffix(after)
        if before + listed + after == question and (listed_order(listed, answers(spec)) if field else not listed):
            return True
    return False


def task_texts(spec: TaskSpec) -> list[str]:
    """The task's phrasings with and without its answers: a user may or may not list them."""
    phrasings = [*spec.phrasings, *spec.held_out_phrasings]
    return [text for p in phrasings for text in (fill_phrasing(p, answers(spec)), p.replace("{options}", ""))]


def words(text: str) -> Counter[str]:
    """Words in lower case that carry a topic, plural s dropped.

    >>> sorted(words("Are these Promoters of yeast?"))
    ['promoter', 'yeast']
    """
    found = [word for word in _WORD.findall(text.lower()) if word not in FUNCTION_WORDS]
    return Counter(w[:-1] if len(w) > 3 and w.endswith("s") and not w.endswith("ss") else w for w in found)


def cosine(a: Counter[str], b: Counter[str], weight: dict[str, float]) -> float:
    """Cosine of two bags of words under the given word weights; 0.0 when one is empty."""
    dot = sum(a[w] * b[w] * weight[w] ** 2 for w in a.keys() & b.keys())
    norm = sqrt(sum((n * weight[w]) ** 2 for w, n in a.items())) * sqrt(sum((n * weight[w]) ** 2 for w, n in b.items()))
    return dot / norm if norm else 0.0
