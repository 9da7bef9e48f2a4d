import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dnahlm.corpus import buckets as module
from dnahlm.corpus.buckets import Buckets, first_of_key

ROW = np.dtype([("key", "<u8"), ("rank", "<u8"), ("extra", "u1")])
KEYS = st.integers(0, 2**64 - 1) | st.sampled_from([0, 7, 2**63, 2**64 - 1])


@given(pairs=st.lists(st.tuples(KEYS, st.integers(0, 2**64 - 1), st.integers(0, 255)), max_size=200))
def test_rows_come_back_sorted_whatever_the_number_of_buckets(pairs, tmp_path_factory):
    expected = sorted(pairs, key=lambda pair: pair[:2])
    for rows_in_one in (1 << 16, 8):
        module.ROWS, before = rows_in_one, module.ROWS
        try:
            folder = tmp_path_factory.mktemp("b") / "buckets"
            with Buckets(folder, ROW, len(pairs)) as buckets:
                for start in range(0, len(pairs), 7):
                    buckets.add(np.array(pairs[start : start + 7], ROW))
                found = np.concatenate([np.empty(0, ROW), *buckets.read()])
        finally:
            module.ROWS = before
        assert [row[:2] for row in found.tolist()] == [row[:2] for row in expected]
        assert not folder.exists()
        keys = [key for key, *_ in expected]
        assert first_of_key(found).tolist() == [key not in keys[:number] for number, key in enumerate(keys)]
