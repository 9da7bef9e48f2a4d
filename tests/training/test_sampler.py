import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dnahlm.training.sampler import BUCKET, BucketSampler

LENGTHS = st.lists(st.integers(1, 500), min_size=1, max_size=60)


@given(lengths=LENGTHS, batch_size=st.integers(1, 8), epoch=st.integers(0, 3))
def test_every_row_comes_once_an_epoch(lengths, batch_size, epoch):
    sampler = BucketSampler(lengths, batch_size, seed=0)
    sampler.set_epoch(epoch)
    assert sorted(sampler) == list(range(len(lengths))) and len(sampler) == len(lengths)


def test_batches_hold_one_bucket_save_at_its_borders():
    lengths = np.random.default_rng(0).choice([70, 101, 200, 300], 4000)
    rows = list(BucketSampler(lengths, 32, seed=0))
    mixed = [batch for batch in np.array(rows).reshape(-1, 32) if len(set(lengths[batch] // BUCKET)) > 1]
    assert len(mixed) <= 3


def test_batches_come_in_random_order_not_from_long_to_short():
    lengths = np.repeat([70, 300], 1000)
    longer = (lengths[list(BucketSampler(lengths, 10, seed=0))] == 300).reshape(-1, 10).mean(axis=1)
    assert 0.4 < longer[:100].mean() < 0.6 and 0.4 < np.abs(np.diff(longer)).mean() < 0.6


def test_an_epoch_is_drawn_by_seed_and_number_alone():
    def order(seed, epoch):
        sampler = BucketSampler(range(0, 3000, 10), 8, seed)
        sampler.set_epoch(epoch)
        return list(sampler)

    assert order(0, 1) == order(0, 1)
    assert order(0, 1) != order(0, 2) and order(0, 1) != order(1, 1)
