import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dnahlm.io import InputError
from dnahlm.readers import columnar
from dnahlm.readers.columnar import open_parquet
from dnahlm.readers.formats import read_rows

NEEDED = ["sequence", "label"]


def write(folder, **columns):
    path = folder / "x.parquet"
    pq.write_table(pa.table(columns), path)
    return path


def message(path, columns=NEEDED):
    with pytest.raises(InputError) as error:
        list(read_rows("parquet", path, columns))
    return str(error.value)


@settings(max_examples=20, deadline=None)
@given(rows=st.lists(st.tuples(st.text("ACGT", min_size=1, max_size=9), st.integers(-9, 10**15)), min_size=1))
def test_rows_come_back_in_order_across_batches(tmp_path_factory, rows):
    sequences, labels = zip(*rows, strict=True)
    path = write(tmp_path_factory.mktemp("p"), other=[None] * len(rows), label=labels, sequence=sequences)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(columnar, "BATCH_ROWS", 2)
        found = list(read_rows("parquet", path, NEEDED))
    assert [tuple(row.values.values()) for row in found] == [(s, str(i)) for s, i in rows]
    assert [row.where for row in found] == [f"{path}:row {i + 1}" for i in range(len(rows))]


AS_TEXT = [
    (pa.array([0, -7]), ["0", "-7"]),
    (pa.array([0.0, 2.5]), ["0", "2.5"]),
    (pa.array([0.1, 1.0], pa.float32()), ["0.1", "1"]),
    (pa.array([True, False]), ["true", "false"]),
    (pa.array(["a ", "b"]).dictionary_encode(), ["a", "b"]),
    (pa.array([3, 4]).dictionary_encode(), ["3", "4"]),
    (pa.array(["a", "b"], pa.large_string()), ["a", "b"]),
]


@pytest.mark.parametrize(("column", "texts"), AS_TEXT, ids=[str(column.type) for column, _ in AS_TEXT])
def test_values_become_the_text_a_csv_would_show(tmp_path, column, texts):
    path = write(tmp_path, label=column)
    assert [row.values["label"] for row in read_rows("parquet", path, ["label"])] == texts


@pytest.mark.parametrize(
    ("label", "said"),
    [
        (["1", None], "x.parquet:row 2: column 'label' is empty"),
        ([1.0, float("nan")], "x.parquet:row 2: column 'label' is empty"),
        (["1", " "], "x.parquet:row 2: column 'label' is empty"),
        ([None, None], "x.parquet:row 1: column 'label' is empty"),
        (["1", "a\nb"], "x.parquet:row 2: column 'label' holds a quoted newline"),
        ([[1], [2]], "x.parquet: column 'label': holds values of type list"),
        ([{"a": 1}, {"a": 2}], "x.parquet: column 'label': holds values of type struct"),
        ([b"a", b"b"], "x.parquet: column 'label': holds values of type binary"),
    ],
)
def test_a_value_that_is_no_text_is_an_error_with_its_row(tmp_path, label, said):
    assert said in message(write(tmp_path, sequence=["AC", "GT"], label=label))


def test_a_null_in_a_column_nobody_needs_is_no_matter(tmp_path):
    assert len(list(read_rows("parquet", write(tmp_path, label=["1"], note=[None]), ["label"]))) == 1


def test_filter_compares_numbers_as_text(tmp_path):
    path = write(tmp_path, sequence=["AC", "GT"], fold=[1.0, 2.0])
    assert [r.where[-5:] for r in read_rows("parquet", path, ["sequence"], {"fold": "2"})] == ["row 2"]


def test_a_table_without_rows_is_an_error(tmp_path):
    assert "has columns and no rows" in message(write(tmp_path, sequence=pa.array([], pa.string()), label=[]))


def test_a_file_that_is_no_parquet_or_cut_short_is_an_error(tmp_path):
    path = write(tmp_path, sequence=["AC"], label=["1"])
    path.write_bytes(path.read_bytes()[:-20])
    assert "not a whole Parquet file" in message(path)
    path.write_text("sequence,label\nAC,1\n")
    assert "not a whole Parquet file" in message(path)


def test_a_gzipped_file_is_an_error_that_says_to_unzip_it(tmp_path):
    (tmp_path / "x.parquet.gz").write_bytes(b"\x1f\x8b")
    assert "x.parquet.gz: Parquet is compressed inside; unzip it (`gunzip x.parquet.gz`)" in message(
        tmp_path / "x.parquet.gz"
    )


def test_a_missing_column_is_an_error_that_names_those_found(tmp_path):
    assert "no column 'label'; found: 'seq', 'labels'. Did you mean 'labels'?" in message(
        write(tmp_path, seq=["AC"], labels=["1"]), ["label"]
    )


def test_reading_in_batches_keeps_nothing_of_the_batches_before(tmp_path):
    rng, path = random.Random(0), tmp_path / "x.parquet"
    texts = pa.table({"text": ["".join(rng.choices("ACGT", k=1000)) for _ in range(4000)]})
    pq.write_table(texts, path, row_group_size=100, compression="none", use_dictionary=False)
    before = pa.total_allocated_bytes()
    with open_parquet(path) as file:
        held = [pa.total_allocated_bytes() - before for _ in file.iter_batches(100)]
    assert len(held) == 40
    assert held[-1] < texts.nbytes / 10
