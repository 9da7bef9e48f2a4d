"""Ids that have been seen are known again, in few bytes each."""

import tracemalloc

from dnahlm.readers.ids import SeenIds


def test_ids_of_all_blocks_are_known_and_no_others():
    seen, n = SeenIds(), 3 * SeenIds.BLOCK + 100
    for i in range(n):
        assert f"seq{i}" not in seen
        seen.add(f"seq{i}")
    assert len(seen) == n
    assert all(f"seq{i}" in seen for i in range(n)) and not any(f"other{i}" in seen for i in range(1000))


def test_a_hundred_thousand_ids_never_take_more_than_a_few_megabytes():
    tracemalloc.start()
    seen = SeenIds()
    for i in range(100_000):
        seen.add(f"seq{i}")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(seen) == 100_000 and peak < 5e6
