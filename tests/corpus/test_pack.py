from itertools import groupby

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnahlm.corpus.pack import PackConfig, pack_documents, run
from dnahlm.io import InputError
from dnahlm.readers.corpus import count_rows, read_corpus
from dnahlm.tokenizer.load import fingerprint

EOS = 0
BATCHES = st.lists(st.lists(st.lists(st.integers(1, 9), max_size=12), max_size=4), max_size=8)


@given(batches=BATCHES, block_size=st.integers(2, 9))
def test_blocks_are_the_joined_stream_and_positions_restart_at_documents_and_blocks(batches, block_size):
    packed = list(pack_documents(batches, block_size, EOS))
    ids = [i for blocks, _ in packed for i in blocks.reshape(-1).tolist()]
    positions = [p for _, places in packed for p in places.reshape(-1).tolist()]
    stream = [i for batch in batches for document in batch for i in [*document, EOS]]
    assert ids == stream[: len(stream) // block_size * block_size]
    for n, position in enumerate(positions):
        restart = n % block_size == 0 or ids[n - 1] == EOS
        assert position == (0 if restart else positions[n - 1] + 1)


@pytest.fixture
def tokenizer_folder(tiny_tokenizer, tmp_path):
    tiny_tokenizer.save_pretrained(tmp_path / "tok")
    return str(tmp_path / "tok")


@pytest.fixture
def corpus(build):
    return str(build(dna=["*.fa"], text=["english.txt"], validation_share=0.1)[0])


def test_stage_writes_blocks_that_hold_the_corpus_and_counts_them(
    corpus, tokenizer_folder, tiny_tokenizer, tmp_path, capsys
):
    manifest = run(PackConfig(corpus, tokenizer_folder, str(tmp_path / "blocks"), block_size=64))
    assert (manifest["stage"], manifest["block_size"]) == ("corpus pack", 64)
    assert manifest["tokenizer_sha256"] == fingerprint(tiny_tokenizer)
    train, validation = manifest["counts"]["train"], manifest["counts"]["validation"]
    for split, only, folder, counts in (
        ("train", None, "train", train),
        ("validation", "dna", "validation/dna", validation["dna"]),
        ("validation", "text", "validation/text", validation["text"]),
    ):
        table = pq.read_table(tmp_path / "blocks" / folder)
        assert table.schema.types == [pa.list_(pa.int32(), 64)] * 2
        stream = np.array(table["input_ids"].to_pylist()).reshape(-1).tolist()
        documents = [pair for batch in read_corpus(corpus, split) for pair in zip(*batch, strict=True)]
        kinds, texts = zip(*(pair for pair in documents if only in (None, pair[0])), strict=True)
        whole = "".join(text + tiny_tokenizer.eos_token for text in texts)
        assert whole.startswith(tiny_tokenizer.decode(stream).removesuffix("�"))
        assert counts["documents"] == len(texts)
        assert counts["blocks"] == len(table)
        assert counts["tokens"] == len(table) * 64 + counts["dropped_tokens"]
        assert counts["tokens"] == counts["dna_tokens"] + counts["english_tokens"] + counts["documents"]
        assert counts["bases"] == sum(len(t) for k, t in zip(kinds, texts, strict=True) if k == "dna")
        assert counts["english_bytes"] == sum(len(t.encode()) for k, t in zip(kinds, texts, strict=True) if k == "text")
    assert "blocks of 64" in capsys.readouterr().out


def test_blocks_load_with_datasets(corpus, tokenizer_folder, tmp_path):
    from datasets import load_dataset

    run(PackConfig(corpus, tokenizer_folder, str(tmp_path / "blocks"), block_size=64))
    files = str(tmp_path / "blocks/train/*.parquet")
    rows = load_dataset("parquet", data_files=files, split="train", streaming=True, cache_dir=str(tmp_path / "cache"))
    row = next(iter(rows))
    assert len(row["input_ids"]) == len(row["position_ids"]) == 64


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"block_size": 1}, "block_size: 1"),
        ({"block_size": 100_000}, "smaller block_size"),
        ({"block_size": 15_000}, "larger validation_share"),
        ({"corpus": "none"}, "corpus build"),
        ({"tokenizer": "none/at/all"}, "tokenizer train"),
    ],
)
def test_what_cannot_be_packed_is_an_error_and_leaves_nothing(corpus, tokenizer_folder, tmp_path, settings, said):
    settings = {"corpus": corpus, "tokenizer": tokenizer_folder, "output": str(tmp_path / "blocks"), **settings}
    with pytest.raises(InputError, match=said):
        run(PackConfig(**settings))
    assert not list(tmp_path.glob("blocks*"))


def test_the_output_of_another_stage_is_refused(corpus, tokenizer_folder, tmp_path):
    run(PackConfig(corpus, tokenizer_folder, str(tmp_path / "blocks"), block_size=64))
    with pytest.raises(InputError, match="'corpus pack', but `corpus build` is needed"):
        run(PackConfig(str(tmp_path / "blocks"), tokenizer_folder, str(tmp_path / "more")))


def test_bpe_dropout_cuts_train_dna_anew_by_seed_and_leaves_english_and_validation_alone(
    corpus, tokenizer_folder, tiny_tokenizer, tmp_path
):
    def pack(name, **settings):
        manifest = run(PackConfig(corpus, tokenizer_folder, str(tmp_path / name), block_size=64, **settings))
        tables = {f: pq.read_table(tmp_path / name / f) for f in ("train", "validation/dna", "validation/text")}
        return manifest, {f: np.array(t["input_ids"].to_pylist()).reshape(-1).tolist() for f, t in tables.items()}

    plain_facts, plain = pack("plain")
    facts, once = pack("once", bpe_dropout=0.2, seed=1)
    _, again = pack("again", bpe_dropout=0.2, seed=1)
    _, other = pack("other", bpe_dropout=0.2, seed=2)
    assert once == again and once["train"] != other["train"]
    assert {f: once[f] == plain[f] for f in plain} == {"train": False, "validation/dna": True, "validation/text": True}
    counts, before = facts["counts"]["train"], plain_facts["counts"]["train"]
    assert counts["dna_tokens"] > 1.05 * before["dna_tokens"]
    assert (counts["bases"], counts["english_tokens"]) == (before["bases"], before["english_tokens"])
    assert (facts["config"]["bpe_dropout"], facts["seed"]) == (0.2, 1)
    whole = tiny_tokenizer.decode(plain["train"])
    assert whole.startswith(tiny_tokenizer.decode(once["train"])[:-100]) or tiny_tokenizer.decode(
        once["train"]
    ).startswith(whole[:-100])


def test_copies_hold_every_document_again_with_its_dna_in_other_tokens(
    corpus, tokenizer_folder, tiny_tokenizer, tmp_path
):
    manifest = run(
        PackConfig(corpus, tokenizer_folder, str(tmp_path / "blocks"), block_size=64, bpe_dropout=0.2, copies=2)
    )
    ids = np.array(pq.read_table(tmp_path / "blocks/train")["input_ids"].to_pylist()).reshape(-1).tolist()
    counts, n_documents = manifest["counts"]["train"], count_rows(corpus, "train")
    assert counts["documents"] == 2 * n_documents
    documents = [list(part) for end, part in groupby(ids, tiny_tokenizer.eos_token_id.__eq__) if not end]
    first, second = documents[:n_documents], documents[n_documents:-1]  # the last is cut off at the last block's end
    texts = [[tiny_tokenizer.decode(ids) for ids in part] for part in (first, second)]
    assert texts[0][: len(second)] == texts[1] and len(second) >= n_documents - 2
    cut_anew = [a != b for a, b in zip(first, second, strict=False)]
    assert any(cut_anew) and not all(cut_anew), "DNA and English"


@pytest.mark.parametrize("settings", [{"copies": 0, "bpe_dropout": 0.1}, {"copies": 2}])
def test_copies_without_dropout_or_none_at_all_are_refused(corpus, tokenizer_folder, tmp_path, settings):
    with pytest.raises(InputError, match=r"copies: [02]; must be 1 or more, and 1 without bpe_dropout"):
        run(PackConfig(corpus, tokenizer_folder, str(tmp_path / "blocks"), **settings))
    assert not (tmp_path / "blocks").exists()


def test_bpe_dropout_out_of_range_is_refused_before_anything_is_written(corpus, tokenizer_folder, tmp_path):
    with pytest.raises(InputError, match="bpe_dropout: 1; must be at least 0 and below 1"):
        run(PackConfig(corpus, tokenizer_folder, str(tmp_path / "blocks"), bpe_dropout=1))
    assert not (tmp_path / "blocks").exists()
