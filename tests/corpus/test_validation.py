import numpy as np

from dnahlm.corpus.validation import held_out_records, order_of, record_to_part


def held_out(kind, sizes, share=0.1, seed=0):
    orders = np.array([order_of(f"r{number}", seed) for number in range(len(sizes))], np.uint64)
    return np.flatnonzero(held_out_records(kind, np.array(sizes), orders, share)).tolist()


def test_small_records_of_dna_and_protein_go_to_validation_whole():
    for kind in ("dna", "protein"):
        assert len(held_out(kind, [100] * 50)) == 5
        assert held_out(kind, [100] * 50, seed=1) != held_out(kind, [100] * 50)


def test_records_of_dna_much_larger_than_the_share_give_none_whole_and_one_its_end():
    assert held_out("dna", [1000] * 4) == []
    orders = np.array([3, 1, 2], np.uint64)
    assert record_to_part(np.array([1000, 150, 1000]), orders, np.zeros(3, bool), 100) == 2


def test_no_record_shorter_than_two_parts_is_parted():
    assert record_to_part(np.array([60]), np.array([1], np.uint64), np.zeros(1, bool), 50) is None


def test_english_gives_its_last_records_and_at_least_one_of_several():
    assert held_out("text", [100] * 10, share=0.25) == [8, 9]
    assert held_out("text", [100, 100, 5000], share=0.02) == [2]
    assert held_out("text", [100]) == []


def test_proteins_give_at_least_one_of_several():
    assert len(held_out("protein", [300] * 3, share=0.01)) == 1
    assert held_out("protein", [300]) == []
