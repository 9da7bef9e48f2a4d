"""Time, memory, leaks found and false alarms of the leak check, on random DNA with planted leaks.

    python eval/benchmarks/leakage.py                    # 300,000 train against 100,000 test rows of 100 bases
    python eval/benchmarks/leakage.py --rows 30000       # train rows; a third as many test rows
    python eval/benchmarks/leakage.py --bases 70         # bases of a row
    python eval/benchmarks/leakage.py --slow             # beside a search that compares every pair, at 300 rows

Half of the planted leaks are on the other strand. `contained` ones are three quarters of a row. `5 %` and `10 %` rows
have each base substituted with that chance; of `5 % indels`, half of the changes are substitutions, a quarter
insertions and a quarter deletions of one base. `shuffled` rows are train rows with all dinucleotides kept and their
order drawn anew: an alarm there is a false one. Prints one Markdown table.
"""

import argparse
import itertools
import random
import resource
import time
from collections import defaultdict
from collections.abc import Callable

from dnahlm.dna import reverse_complement
from dnahlm.tasks.leaks.find import KINDS, Leak, find_leaks, kind_of
from dnahlm.tasks.leaks.glance import MISMATCH
from dnahlm.tasks.leaks.near import COVER
from dnahlm.tasks.leaks.segments import MIN_SCORE
from dnahlm.tasks.leaks.words import MASKS, PERIODS

Places = dict[tuple[int, str], list[int]]  # number of the mask, word -> places of the windows that have it


def main() -> None:
    """Make the rows, search, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=300_000, help="train rows; a third as many test rows")
    parser.add_argument("--bases", type=int, default=100, help="of a row")
    parser.add_argument("--slow", action="store_true", help="compare with the slow exact search, at 300 train rows")
    arguments = parser.parse_args()
    rows = 300 if arguments.slow else arguments.rows
    train, test, planted = planted_rows(rows, arguments.bases, random.Random(0))
    print(f"{len(train):,} train against {len(test):,} test rows of {arguments.bases} bases\n")
    print("| search | seconds | CPU seconds | peak memory GB | " + " | ".join(planted) + " | other test rows |")
    print("|---|---|---|---|" + "---|" * (len(planted) + 1))
    quick = measured("dnahlm", find_leaks, train, test, planted)
    if arguments.slow:
        slow = measured("every pair", every_pair, train, test, planted)
        print(f"\nthe same {len(slow):,} leaks" if slow == quick else "\nthe two DIFFER")


def planted_rows(rows: int, bases: int, rng: random.Random) -> tuple[list[str], list[str], dict[str, dict[int, int]]]:
    """Train rows, test rows, and what is planted: name -> test index -> index of the train row it was made from."""
    train = ["".join(rng.choices("ACGT", (30, 20, 20, 30), k=bases)) for _ in range(rows)]
    test = ["".join(rng.choices("ACGT", (30, 20, 20, 30), k=bases)) for _ in range(rows // 3)]
    makers: dict[str, Callable[[str], str]] = {
        "exact": lambda text: text,
        "contained": lambda text: text[bases // 8 : bases // 8 + bases * 3 // 4],
        "5 %": lambda text: mutated(text, 0.05, rng),
        "10 %": lambda text: mutated(text, 0.10, rng),
        "5 % indels": lambda text: with_indels(text, 0.05, rng),
        "shuffled": lambda text: dinucleotide_shuffled(text, rng),
    }
    each = len(test) // 12
    places = iter(rng.sample(range(len(test)), each * len(makers)))
    planted: dict[str, dict[int, int]] = defaultdict(dict)
    for name, make in makers.items():
        for number in range(each):
            place, source = next(places), rng.randrange(rows)
            made = make(train[source])
            test[place] = reverse_complement(made) if number % 2 else made
            planted[name][place] = source
    return train, test, dict(planted)


def substituted(base: str, rng: random.Random) -> str:
    """Another base."""
    return rng.choice("ACGT".replace(base, ""))


def mutated(text: str, chance: float, rng: random.Random) -> str:
    """The text with each base substituted with a chance."""
    return "".join(substituted(base, rng) if rng.random() < chance else base for base in text)


def with_indels(text: str, chance: float, rng: random.Random) -> str:
    """The text with each base changed with a chance: substituted, deleted, or one inserted before it."""
    changes = [lambda base: substituted(base, rng)] * 2 + [lambda base: "", lambda base: rng.choice("ACGT") + base]
    return "".join(rng.choice(changes)(base) if rng.random() < chance else base for base in text)


def dinucleotide_shuffled(text: str, rng: random.Random) -> str:
    """A random order of the letters with the same dinucleotides (Altschul and Erickson, Mol. Biol. Evol. 2, 1985)."""
    exits = {base: [b for a, b in itertools.pairwise(text) if a == base] for base in set(text)}
    while True:  # draw a last exit of each base until all of them lead to the end
        last = {base: rng.choice(nexts) for base, nexts in exits.items() if nexts and base != text[-1]}
        if all(leads(base, last, text[-1]) for base in last):
            break
    for base, nexts in exits.items():
        if base in last:
            nexts.remove(last[base])
        rng.shuffle(nexts)
        if base in last:
            nexts.append(last[base])
    walk, steps = [text[0]], {base: iter(nexts) for base, nexts in exits.items()}
    while (following := next(steps[walk[-1]], None)) is not None:
        walk.append(following)
    return "".join(walk)


def leads(base: str, last: dict[str, str], end: str) -> bool:
    """Whether the last exits lead from a base to the end."""
    for _ in range(4):
        base = last.get(base, end)
    return base == end


def measured(
    name: str,
    search: Callable[[list[str], list[str]], list[Leak]],
    train: list[str],
    test: list[str],
    planted: dict[str, dict[int, int]],
) -> list[Leak]:
    """Search, and print the row of the table."""
    started, cpu = time.perf_counter(), time.process_time()
    leaks = search(train, test)
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    pairs = {(leak.train_index, leak.test_index) for leak in leaks}
    told = {leak.test_index for leak in leaks}
    cells = []
    for kind, places in planted.items():
        alarms = kind == "shuffled"
        hits = sum(place in told if alarms else (source, place) in pairs for place, source in places.items())
        cells.append(f"{hits:,} of {len(places):,}")
    rest = set(range(len(test))).difference(*planted.values())
    cells.append(f"{len(rest & told):,} of {len(rest):,}")
    print(f"| {name} | {seconds:.1f} | {cpu:.1f} | {peak:.2f} | {' | '.join(cells)} |", flush=True)
    return leaks


def every_pair(train: list[str], test: list[str]) -> list[Leak]:
    """Each pair compared by the definitions alone."""
    leaks = []
    words_of_test = [[words(strand) for strand in (text, reverse_complement(text))] for text in test]
    for i, one in enumerate(train):
        words_of_one = words(one)
        for j, other in enumerate(test):
            back = reverse_complement(other)
            if other in one or back in one or one in other or one in back:
                leaks.append(Leak(i, j, kind_of(one, other)))
                continue
            strands = zip((other, back), words_of_test[j], strict=True)
            similarity = max(shared(one, words_of_one, strand, theirs) for strand, theirs in strands)
            if similarity >= COVER:
                leaks.append(Leak(i, j, KINDS[-1], similarity))
    return leaks


def words(text: str) -> Places:
    """The words of a text."""
    places: Places = defaultdict(list)
    for number, mask in enumerate(MASKS):
        for start in range(len(text) - len(mask) + 1):
            window = text[start : start + len(mask)]
            plain = any(window[period:] == window[:-period] for period in PERIODS)
            if "N" not in window and not plain:
                word = "".join(base for base, mark in zip(window, mask, strict=True) if mark == "1")
                places[number, word].append(start)
    return places


def shared(one: str, words_of_one: Places, other: str, words_of_other: Places) -> float:
    """Share of the shorter text that lies in segments in common."""
    both = words_of_one.keys() & words_of_other.keys()
    hits = {hit for word in both for hit in itertools.product(words_of_one[word], words_of_other[word])}
    reached: dict[int, int] = {}  # diagonal -> end of its last segment
    bases: set[int] = set()
    for at, to in sorted(hits):
        if at < reached.get(to - at, 0):
            continue
        ahead, right = grown(one[at:], other[to:])
        behind, left = grown(one[:at][::-1], other[:to][::-1])
        if ahead + behind >= MIN_SCORE:
            reached[to - at] = at + right
            place = at if len(one) <= len(other) else to
            bases.update(range(place - left, place + right))
    return len(bases) / min(len(one), len(other)) if bases else 0.0


def grown(one: str, other: str) -> tuple[int, int]:
    """Best score of two texts read side by side, and the bases up to it."""
    score = best = bases = 0
    for place, (base, partner) in enumerate(zip(one, other, strict=False), 1):
        score += 1 if base == partner != "N" else MISMATCH
        if score > best:
            best, bases = score, place
        if score < best - MIN_SCORE:
            break
    return best, bases


if __name__ == "__main__":
    main()
