import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dnahlm.io import InputError
from dnahlm.manifest import read_manifest
from dnahlm.tokenizer.bpe import split_dna, train_bpe
from dnahlm.tokenizer.load import fingerprint, load_tokenizer
from dnahlm.tokenizer.train import TokenizerConfig, run

MIXED = st.lists(
    st.one_of(st.text(max_size=12), st.text("ACGTN", max_size=30), st.sampled_from([" ", "\n", "### Input:\n", "a"])),
    max_size=8,
).map("".join)
UNICODE = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


def expected_dna(text, min_run, longest):
    """What the splitter must isolate, said another way."""
    runs = [m.group() for m in re.finditer("[ACGTN]+", text) if len(m.group()) >= min_run]
    return [run[i : i + longest] for run in runs for i in range(0, len(run), longest)]


@settings(max_examples=150, deadline=None)
@given(text=MIXED, min_run=st.integers(1, 9), longest=st.integers(1, 9))
def test_dna_runs_are_isolated_in_pieces_and_nothing_else_is(text, min_run, longest):
    places = [place for _, place in split_dna(min_run, longest).pre_tokenize_str(text)]
    pieces = [text[start:end] for start, end in places]
    inside = {i for m in re.finditer("[ACGTN]+", text) if len(m.group()) >= min_run for i in range(*m.span())}
    assert [p for p, (start, _) in zip(pieces, places, strict=True) if start in inside] == expected_dna(
        text, min_run, longest
    )


@settings(max_examples=150, deadline=None)
@given(text=st.one_of(MIXED, UNICODE, st.binary(max_size=60).map(lambda b: b.decode("latin-1"))))
def test_any_text_comes_back_from_its_ids(tokenizer, text):
    assert tokenizer.decode(tokenizer(text, add_special_tokens=False)["input_ids"]) == text


@settings(max_examples=50, deadline=None)
@given(
    prompt=st.text(max_size=20).filter(lambda t: t[-1:] not in set("ACGTN")),
    dna=st.text("ACGTN", min_size=8, max_size=40),
)
def test_no_token_holds_both_prompt_and_dna_and_dna_tokens_are_short(tokenizer, prompt, dna):
    alone = tokenizer(prompt, add_special_tokens=False)["input_ids"]
    both = tokenizer(prompt + dna, add_special_tokens=False)["input_ids"]
    assert both[: len(alone)] == alone
    pieces = [tokenizer.decode([i]) for i in both[len(alone) :]]
    assert "".join(pieces) == dna
    assert max(map(len, pieces)) <= 5


def test_dna_entries_of_the_vocabulary_are_no_longer_than_asked(tokenizer):
    dna = [t for t in tokenizer.get_vocab() if re.fullmatch("[ACGTN]+", t)]
    assert len(dna) > 100
    assert max(map(len, dna)) == 5


def test_special_tokens_are_the_end_and_a_pad_of_its_own(tokenizer):
    assert (tokenizer.eos_token, tokenizer.bos_token, tokenizer.pad_token) == (
        "<|endoftext|>",
        "<|endoftext|>",
        "<|pad|>",
    )
    assert tokenizer.decode([tokenizer.pad_token_id]) == "<|pad|>"


def test_training_twice_gives_the_same_tokenizer(mixed_texts):
    one, two = (train_bpe(mixed_texts[:80], 400, 8, 4) for _ in range(2))
    assert fingerprint(one) == fingerprint(two)


@pytest.mark.parametrize(
    ("sizes", "said"), [((257, 8, 8), "258"), ((512, 0, 8), "min_dna_run"), ((512, 8, 0), "max_dna_token")]
)
def test_sizes_that_cannot_work_are_refused(sizes, said):
    with pytest.raises(InputError, match=said):
        train_bpe(["text"], *sizes)


def test_the_smallest_vocabulary_holds_every_byte():
    tokenizer = train_bpe(["text"], 258, 8, 8)
    assert tokenizer.decode(tokenizer("naïve ACGTACGT\x00")["input_ids"]) == "naïve ACGTACGT\x00"


def test_stage_writes_tokenizer_report_and_manifest(make_corpus, tmp_path, capsys):
    corpus = make_corpus(dna=["genome.fa"], text=["english.txt"])
    manifest = run(TokenizerConfig(str(corpus), str(tmp_path / "tok"), vocab_size=400, max_dna_token=4))
    tokenizer = load_tokenizer(tmp_path / "tok")
    assert len(tokenizer) == 400
    assert read_manifest(tmp_path / "tok", "tokenizer train") == json.loads(json.dumps(manifest))
    assert manifest["tokenizer_sha256"] == fingerprint(tokenizer)
    assert manifest["inputs"]["corpus"]["manifest"]["stage"] == "corpus build"
    report = json.loads((tmp_path / "tok/report.json").read_text())
    assert 1 < report["bases_per_dna_token"] <= 4
    assert report["bytes_per_english_token"] > 1
    assert max(map(len, report["longest_dna_tokens"])) == 4
    assert report["dna_entries"] < report["vocab_size"] == 400
    out = capsys.readouterr().out
    assert "bases per DNA token" in out
    assert "warning" not in out


@pytest.mark.parametrize(
    ("sources", "said"),
    [
        ({"dna": ["genome.fa"]}, "0.0% of the training characters are English"),
        ({"text": ["english.txt"]}, "0.0% of the training characters are DNA"),
    ],
)
def test_a_corpus_of_one_kind_is_warned_about(make_corpus, tmp_path, capsys, sources, said):
    run(TokenizerConfig(str(make_corpus(**sources)), str(tmp_path / "tok"), vocab_size=300))
    assert said in capsys.readouterr().out


def test_stage_refuses_a_folder_that_is_no_corpus_and_leaves_nothing(tmp_path):
    with pytest.raises(InputError, match="corpus build"):
        run(TokenizerConfig(str(tmp_path / "none"), str(tmp_path / "tok")))
    assert not list(tmp_path.iterdir())


def test_the_words_of_the_named_tasks_become_whole_tokens(make_corpus, tmp_path):
    corpus = make_corpus(dna=["genome.fa"], text=["english.txt"])

    def tokens(text, **settings):
        run(
            TokenizerConfig(
                corpus=str(corpus), output=str(tmp_path / "out"), vocab_size=900, overwrite=True, **settings
            )
        )
        return len(load_tokenizer(tmp_path / "out").tokenize(text))

    word = " Zyzzogeton"
    mine = tmp_path / "mine.yaml"
    mine.write_text(f"id: mine\nphrasings: [Is it{word}?]\n" * 20)
    assert tokens(word, prompt_share=0.3, tasks=[str(mine)]) == 1 < tokens(word, prompt_share=0.3)


def test_an_unknown_task_is_refused_before_anything_is_written(make_corpus, tmp_path):
    corpus = make_corpus(dna=["genome.fa"], text=["english.txt"])
    with pytest.raises(InputError, match="core_promotr is neither a shipped task nor a file"):
        run(TokenizerConfig(corpus=str(corpus), output=str(tmp_path / "out"), tasks=["core_promotr"]))
    assert not (tmp_path / "out").exists()
