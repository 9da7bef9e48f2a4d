"""Divide a user's own table into train, validation and test so that what belongs together stays together."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import Any

from dnahlm.dna import canonical
from dnahlm.io import InputError
from dnahlm.tasks.checks import SPLITS
from dnahlm.tasks.leaks.find import find_leaks

SIMILARITY = "similarity"


def assign_splits(
    keys: Sequence[str] | None,
    sequences: Sequence[str],
    shares: dict[str, float],
    by: str,
    seed: int,
    facts: dict[str, Any] | None = None,
) -> list[str]:
    """The split of each row; rows of one group never come into different splits.

    Args:
        keys: value of the group column per row, such as its gene or chromosome; None with `by` similarity.
        sequences: DNA of each row over ACGTN; only looked at with `by` similarity.
        shares: of the rows, for `validation` and `test`; what is left of 1 is train's.
        by: `similarity`, where equal, contained and near-duplicate rows (either strand) and all that they link are one
            group; or the name of the group column.
        seed: decides, with the group's key, where a group goes.
        facts: gets what was reached, see `split_facts`.

    Raises:
        InputError: shares that leave train nothing, or an unknown split.

    >>> assign_splits(["chr1", "chr2", "chr1", "chr3"], ["A"] * 4, {"test": 0.25}, "chromosome", seed=0)
    ['train', 'test', 'train', 'train']
    """
    shares = with_train(shares)
    groups = similar_groups(sequences) if by == SIMILARITY else list(keys or [])
    sizes = Counter(groups)
    homes = place_groups(sizes, shares, seed)
    splits = [homes[group] for group in groups]
    if facts is not None:
        facts.update(split_facts(sizes, homes, shares, by))
    return splits


def with_train(shares: dict[str, float]) -> dict[str, float]:
    """The shares, checked, in the order train, validation, test; train gets what the others leave.

    Raises:
        InputError: an unknown split, a share that is not above 0, or nothing left for train.

    >>> with_train({"test": 0.25})
    {'train': 0.75, 'test': 0.25}
    """
    unknown = sorted(set(shares) - set(SPLITS))
    others = {split: share for split, share in shares.items() if split != "train"}
    rest = 1 - sum(others.values())
    if unknown or min(others.values(), default=1) <= 0 or rest <= 0:
        raise InputError(
            f"shares {shares}: name validation or test, each above 0 and together below 1; train gets the rest."
        )
    if abs(shares.get("train", rest) - rest) > 1e-6:
        raise InputError(f"shares {shares}: they add up to {sum(shares.values()):g}. Make it 1, or leave train out.")
    return {split: others.get(split, rest) for split in SPLITS if split == "train" or split in others}


def similar_groups(sequences: Sequence[str]) -> list[str]:
    """Name of each row's group: the first sequence, by the alphabet, of all that its near-duplicates link it to.

    >>> similar_groups(["AAC", "CCCC", "TGTTA"])
    ['AAC', 'CCCC', 'AAC']
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    names = [canonical(sequence) for sequence in sequences]
    distinct = sorted(set(names))
    pairs = [(leak.train_index, leak.test_index) for leak in find_leaks(distinct, distinct, "similar rows")]
    one, other = zip(*pairs, strict=True) if pairs else ((), ())
    graph = coo_array(([1] * len(pairs), (one, other)), shape=(len(distinct), len(distinct)))
    _, numbers = connected_components(graph, directed=False)
    first: dict[int, str] = {}
    group = {name: first.setdefault(int(number), name) for name, number in zip(distinct, numbers, strict=True)}
    return [group[name] for name in names]


def place_groups(sizes: Counter[str], shares: dict[str, float], seed: int) -> dict[str, str]:
    """Group -> split. Large groups come first, so that small ones fill what they leave.

    A group goes to one of the splits that have room for it, drawn by a hash with chances as their room is; where none
    has, to the one with the most. So a large group is as likely in test as its share says, and shares are met as
    closely as the groups allow.

    >>> place_groups(Counter({"a": 5, "b": 3, "c": 1, "d": 1}), {"train": 0.5, "test": 0.5}, seed=0)
    {'a': 'test', 'b': 'train', 'd': 'train', 'c': 'train'}
    """
    total = sum(sizes.values())
    room = {split: share * total for split, share in shares.items()}
    homes = {}
    for chance, group in sorted(
        ((chance_of(group, seed), group) for group in sizes), key=lambda pair: (-sizes[pair[1]], *pair)
    ):
        fitting = {split: left for split, left in room.items() if left >= sizes[group] - 0.5}
        home = drawn(fitting, chance) if fitting else max(room, key=room.__getitem__)
        homes[group] = home
        room[home] -= sizes[group]
    return homes


def chance_of(group: str, seed: int) -> float:
    """A number from 0 to 1, the same on every machine."""
    digest = hashlib.sha256(f"{seed}:{group}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def drawn(weights: dict[str, float], chance: float) -> str:
    """The split at the place `chance` (0..1) when each takes a stretch as long as its weight.

    >>> drawn({"train": 3, "test": 1}, 0.7), drawn({"train": 3, "test": 1}, 0.8)
    ('train', 'test')
    """
    place = chance * sum(weights.values())
    for split, weight in weights.items():
        if place < weight:
            return split
        place -= weight
    return max(weights, key=weights.__getitem__)


def split_facts(sizes: Counter[str], homes: dict[str, str], shares: dict[str, float], by: str) -> dict[str, Any]:
    """What came of the shares: rows, groups and reached share per split, the largest group, and in words what failed.

    >>> split_facts(Counter({"a": 3, "b": 1}), {"a": "train", "b": "test"}, {"train": 0.5, "test": 0.5}, "gene")["note"]
    'one gene group has 75 % of the rows, more than the share of train asked for (50 %); it went whole into train'
    """
    total = sum(sizes.values())
    rows = {split: sum(sizes[group] for group, home in homes.items() if home == split) for split in shares}
    largest = max(sizes.values(), default=0)
    name = max(sizes, key=sizes.__getitem__, default="")
    facts: dict[str, Any] = {
        "by": by,
        "groups": len(sizes),
        "largest_group_rows": largest,
        "rows": rows,
        "asked_shares": shares,
        "reached_shares": {split: round(n / total, 4) if total else 0.0 for split, n in rows.items()},
        "note": "",
    }
    home = homes.get(name, "train")
    if total and largest > shares[home] * total + 0.5:
        facts["note"] = (
            f"one {by} group has {largest / total:.0%} of the rows, more than the share of {home} asked for "
            f"({shares[home]:.0%}); it went whole into {home}"
        ).replace("%", " %")
    elif empty := [split for split, n in rows.items() if not n]:
        facts["note"] = f"{len(sizes)} {by} groups are too few or too large: no rows for {', '.join(empty)}"
    return facts
