"""Time, memory, leaks found and false alarms of the leak check, on random DNA with planted leaks.

    python eval/benchmarks/leakage.py                    # 300,000 train against 100,000 test rows of 100 bases
    python eval/benchmarks/leakage.py --rows 30000       # train rows; a third as many test rows
    python eval/benchmarks/leakage.py --bases 70         # bases of a row
    python eval/benchmarks/leakage.py --slow             # beside a search that compares every pair, at 300 rows

Half of the planted leaks are on the other strand. `mutated` rows have each base substituted with a chance of 5 %,
`mutated, exactly` that share of their bases, neither more nor fewer. `contained` ones are three quarters of a row.
`shuffled` rows are train rows with all dinucleotides kept and their order drawn anew: an alarm there is a false one.
Prints one Markdown table.
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
from dnahlm.tasks.leaks.near import MASK, MIN_WORDS, OFFSETS, REACH, SPAN, THRESHOLD

MUTATED = 0.05  # of the bases


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
        "mutated": lambda text: "".join(substituted(base, rng) if rng.random() < MUTATED else base for base in text),
        "mutated, exactly": lambda text: substituted_exactly(text, rng),
        "shuffled": lambda text: dinucleotide_shuffled(text, rng),
    }
    each = len(test) // 10
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


def substituted_exactly(text: str, rng: random.Random) -> str:
    """The text with the share `MUTATED` of its bases replaced."""
    letters = list(text)
    for place in rng.sample(range(len(text)), round(MUTATED * len(text))):
        letters[place] = substituted(letters[place], rng)
    return "".join(letters)


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
    words_of_test = [words(text) for text in test]
    for i, one in enumerate(train):
        words_of_one = words(one)
        for j, other in enumerate(test):
            back = reverse_complement(other)
            if other in one or back in one or one in other or one in back:
                leaks.append(Leak(i, j, kind_of(one, other)))
            elif (similarity := near(one, words_of_one, other, words_of_test[j])) is not None:
                leaks.append(Leak(i, j, KINDS[-1], similarity))
    return leaks


def words(text: str) -> dict[str, int]:
    """Word -> place of its first window."""
    places: dict[str, int] = {}
    for start in range(len(text) - len(MASK) + 1):
        word = "".join(text[start + offset] for offset in OFFSETS)
        if "N" not in word:
            places.setdefault(min(word, reverse_complement(word)), start)
    return places


def near(one: str, words_of_one: dict[str, int], other: str, words_of_other: dict[str, int]) -> float | None:
    """Similarity of a near-duplicate pair, None of another."""
    shared = [place for word, place in words_of_one.items() if word in words_of_other]
    least = min(len(words_of_one), len(words_of_other))
    if not shared or least < MIN_WORDS or len(shared) < THRESHOLD * least:
        return None
    reach = max(shared) - min(shared) + SPAN
    return len(shared) / least if reach >= REACH * min(len(one), len(other)) else None


if __name__ == "__main__":
    main()
