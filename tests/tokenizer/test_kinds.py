import json
import re
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers.decoders import DecodeStream
from transformers import AutoTokenizer

from dnahlm.io import InputError
from dnahlm.tasks.prompt import render_prompt
from dnahlm.tokenizer.kinds import KINDS
from dnahlm.tokenizer.load import load_tokenizer, token_ids
from dnahlm.tokenizer.overlapping import word_ids
from dnahlm.tokenizer.train import TokenizerConfig, run, with_defaults

VARIANTS = {
    "bpe": {"kind": "bpe"},
    "bpe_share_markers": {"kind": "bpe", "dna_share": 0.55, "dna_markers": True},
    "bpe_fixed": {"kind": "bpe", "max_dna_piece": 4, "max_dna_token": 4},
    "char": {"kind": "char"},
    "kmer": {"kind": "kmer", "k": 4},
    "kmer_overlapping": {"kind": "kmer_overlapping", "k": 3},
    "kmer_overlapping_template": {"kind": "kmer_overlapping", "k": 3, "template_tokens": True},
    "bpe_template": {"kind": "bpe", "dna_markers": True, "template_tokens": True},
    "sentencepiece_bpe": {"kind": "sentencepiece_bpe", "dna_markers": True},
    "sentencepiece_unigram": {"kind": "sentencepiece_unigram"},
}
BYTE_LEVEL = [name for name in VARIANTS if not name.startswith("sentencepiece")]
RUN = "ACGTNACGTTGCAACCGTA"
MIXED = st.lists(
    st.one_of(
        st.text(max_size=12),
        st.text("ACGTN", max_size=30),
        st.binary(max_size=20).map(lambda b: b.decode("latin-1")),
        st.sampled_from(
            [" ", "  ", "\n", "### Input:\n", "<dna>", "</dna>", "<|pad|>", "<|unk|>", "<0x0A>", "ＡｃＮ", "\0"]
        ),
    ),
    max_size=8,
).map("".join)


@pytest.fixture(scope="module")
def folders(make_corpus, tmp_path_factory):
    """Every kind, trained by the stage on one small corpus."""
    root, corpus = tmp_path_factory.mktemp("kinds"), make_corpus(dna=["genome.fa"], text=["english.txt"])
    for name, options in VARIANTS.items():
        run(TokenizerConfig(corpus=str(corpus), output=str(root / name), vocab_size=700, **options))
    return root


@pytest.fixture(scope="module")
def tokenizers(folders):
    return {name: load_tokenizer(folders / name) for name in VARIANTS}


def tokens(tokenizer, text):
    return tokenizer.convert_ids_to_tokens(token_ids(tokenizer, [text])[0])


@pytest.mark.parametrize("name", VARIANTS)
def test_auto_tokenizer_loads_every_kind_with_special_tokens_and_template(folders, name):
    loaded = AutoTokenizer.from_pretrained(folders / name)
    assert loaded.is_fast
    assert (loaded.eos_token, loaded.pad_token) == ("<|endoftext|>", "<|pad|>")
    prompt = loaded.apply_chat_template([{"role": "user", "content": "A"}], tokenize=False, add_generation_prompt=True)
    assert prompt.endswith("### Response:\n")
    assert loaded.decode(loaded(prompt, add_special_tokens=False)["input_ids"]) == prompt


STRANGER = """
import json, sys

class NoPackage:
    def find_spec(self, name, *rest):
        if name.split(".")[0] == "dnahlm":
            raise ImportError("not installed here")

sys.meta_path.insert(0, NoPackage())
from tokenizers import Tokenizer
from transformers import AutoTokenizer

found = {}
for folder in sys.argv[2:]:
    loaded, bare = AutoTokenizer.from_pretrained(folder), Tokenizer.from_file(folder + "/tokenizer.json")
    found[folder] = [
        [loaded(text)["input_ids"], bare.encode(text).ids, loaded.decode(bare.encode(text).ids)]
        for text in json.loads(sys.argv[1])
    ]
print(json.dumps(found))
"""


def test_other_programs_without_this_package_get_the_ids_it_gives_and_the_text_back(folders, tokenizers):
    texts = [f"Is it? {RUN} ", "\n\n  naïve\t😀 👩‍🔬 \u202eabc e\u0301", "acgtACGTACGTNN" * 9, " ", ""]
    paths = [str(folders / name) for name in VARIANTS]
    command = [sys.executable, "-c", STRANGER, json.dumps(texts), *paths]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for name, path in zip(VARIANTS, paths, strict=True):
        ours = token_ids(tokenizers[name], texts)
        assert json.loads(said)[path] == [[ids, ids, text] for ids, text in zip(ours, texts, strict=True)]


@pytest.mark.parametrize("name", VARIANTS)
def test_a_server_that_decodes_token_by_token_writes_the_text(tokenizers, name):
    text, stream = f"### Input:\n{RUN}\n\nnaïve 😀 <dna>ACGTACGTA</dna>.", DecodeStream(skip_special_tokens=True)
    pieces = [stream.step(tokenizers[name].backend_tokenizer, i) for i in token_ids(tokenizers[name], [text])[0]]
    assert "".join(piece or "" for piece in pieces) == text


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("name", VARIANTS)
def test_a_padded_batch_is_masked_and_comes_back_without_its_pads(folders, name, side):
    loaded, texts = AutoTokenizer.from_pretrained(folders / name, padding_side=side), ["Is it?", RUN * 4]
    batch = loaded(texts, padding=True)
    for ids, mask in zip(batch["input_ids"], batch["attention_mask"], strict=True):
        assert [i != loaded.pad_token_id for i in ids] == [bool(m) for m in mask]
    assert loaded.batch_decode(batch["input_ids"], skip_special_tokens=True) == texts


@pytest.mark.parametrize("name", BYTE_LEVEL)
@settings(max_examples=150, deadline=None)
@given(text=MIXED)
def test_any_text_comes_back_from_its_ids(tokenizers, name, text):
    assert tokenizers[name].decode(token_ids(tokenizers[name], [text])[0]) == text


@pytest.mark.parametrize("name", ["sentencepiece_bpe", "sentencepiece_unigram"])
@settings(max_examples=150, deadline=None)
@given(text=MIXED.filter(lambda t: "▁" not in t))
def test_sentencepiece_gives_back_any_text_without_its_blank_sign(tokenizers, name, text):
    assert tokenizers[name].decode(token_ids(tokenizers[name], [text])[0]) == text


@pytest.mark.parametrize("name", ["sentencepiece_bpe", "sentencepiece_unigram"])
def test_sentencepiece_turns_its_blank_sign_into_a_blank(tokenizers, name):
    assert tokenizers[name].decode(token_ids(tokenizers[name], ["a▁b"])[0]) == "a b"


@pytest.mark.parametrize("name", ["sentencepiece_bpe", "sentencepiece_unigram"])
@settings(max_examples=200, deadline=None)
@given(text=st.one_of(MIXED, st.text("ACGT", min_size=50, max_size=400)).filter(lambda t: "<" not in t))
def test_sentencepiece_reads_its_model_and_gives_the_same_ids(folders, tokenizers, name, text):
    import sentencepiece

    pieces = sentencepiece.SentencePieceProcessor(model_file=str(folders / name / "tokenizer.model"))
    assert token_ids(tokenizers[name], [text])[0] == pieces.encode(text)


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("text", ["a\n\n\nb", "\t\n ACGTACGTAC\n\n", "中文 🧬🧬é"])
def test_offsets_are_the_places_that_the_tokens_stand_for(folders, name, text):
    loaded = AutoTokenizer.from_pretrained(folders / name)
    found = loaded(text, return_offsets_mapping=True)
    for number, (start, end) in zip(found["input_ids"], found["offset_mapping"], strict=True):
        piece = loaded.decode([number])
        assert piece == text[start:end] or "\ufffd" in piece  # bytes of a character share its place


def test_names_of_pieces_in_text_get_the_ids_sentencepiece_gives(folders, tokenizers):
    import sentencepiece

    text = "<unk> <|unk|> <0x0A> <|endoftext|> <|pad|> <dna>ACGTACGT</dna>"
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(folders / "sentencepiece_bpe" / "tokenizer.model"))
    assert token_ids(tokenizers["sentencepiece_bpe"], [text])[0] == pieces.encode(text)


def test_no_sentencepiece_piece_holds_dna_and_other_text_but_a_blank(tokenizers):
    for name in ("sentencepiece_bpe", "sentencepiece_unigram"):
        ids = token_ids(tokenizers[name], ["### Input:\n" + RUN.replace("N", "") * 4])[0]
        pieces = [tokenizers[name].decode([i]) for i in ids]
        assert not [piece for piece in pieces if re.search("[ACGT]{2}", piece) and set(piece) - set("ACGT")]


def test_markers_are_one_token_each_in_plain_text(tokenizers):
    for name in ("bpe_share_markers", "sentencepiece_bpe"):
        found = tokens(tokenizers[name], "see <dna>ACGTACGTAC</dna>")
        assert found.count("<dna>") == found.count("</dna>") == 1
        assert len(tokenizers[name]) == 700
    assert tokens(tokenizers["bpe"], "<dna>").count("<dna>") == 0


def test_kmers_are_read_side_by_side_and_single_letters_fill_what_they_leave(tokenizers):
    assert tokens(tokenizers["kmer"], "\n" + RUN) == ["Ċ", "ACGT", "N", "ACGT", "TGCA", "ACCG", "T", "A"]
    assert len([t for t in tokenizers["kmer"].get_vocab() if re.fullmatch("[ACGT]{4}", t)]) == 256


def test_short_runs_stay_english_for_kmers(tokenizers):
    assert "ACGT" not in tokens(tokenizers["kmer"], "(GATTACA)")


def test_overlapping_kmers_are_one_token_a_base_that_holds_what_follows(tokenizers):
    found = tokens(tokenizers["kmer_overlapping"], "x " + "ACGTNACGTA")
    assert found[-10:] == ["Ａｃｇ", "Ｃｇｔ", "Ｇｔ", "Ｔ", "Ｎ", "Ａｃｇ", "Ｃｇｔ", "Ｇｔａ", "Ｔａ", "Ａ"]


def test_characters_are_one_token_each(tokenizers):
    text = "Is it naïve? ACGT\n"
    assert len(tokens(tokenizers["char"], text)) == len(text)


def test_a_character_the_corpus_lacks_is_its_bytes(tokenizers):
    assert len(tokens(tokenizers["char"], "日")) == 3


def test_special_tokens_have_the_same_ids_in_every_kind(tokenizers):
    assert {(t.eos_token_id, t.pad_token_id) for t in tokenizers.values()} == {(0, 1)}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"kind": "bep"}, "Did you mean 'bpe'"),
        ({"kind": "char", "k": 3}, "k: does not apply to kind char .only to kmer, kmer_overlapping"),
        ({"kind": "kmer", "dna_share": 0.5}, "dna_share: does not apply"),
        ({"kind": "kmer", "max_dna_token": 8}, "max_dna_token: does not apply"),
        ({"kind": "bpe", "k": 6}, "k: does not apply"),
        ({"kind": "char", "prompt_share": 0.0}, "prompt_share: does not apply"),
        ({"kind": "char", "tasks": ["splice_site"]}, "tasks: does not apply"),
        ({"kind": "sentencepiece_bpe", "min_dna_run": 8}, "min_dna_run: does not apply"),
        ({"dna_share": 1.5}, "dna_share: 1.5; must be from 0 to 1"),
        ({"prompt_share": 1.0}, "prompt_share"),
        ({"sample_bases": -1}, "sample_bases: -1"),
        ({"max_dna_token": 8, "max_dna_piece": 4}, "max_dna_piece: 4 bases, less than max_dna_token, 8"),
        ({"max_dna_token": 0}, "max_dna_token: 0"),
        ({"vocab_size": 257}, "258"),
        ({"vocab_size": 20_000_000_000}, "vocab_size: 20,000,000,000; must be at most 1,000,000"),
        ({"vocab_size": 259, "dna_markers": True}, "260"),
        ({"kind": "char", "vocab_size": 200}, "258"),
        ({"kind": "sentencepiece_bpe", "vocab_size": 258}, "259"),
        ({"kind": "kmer", "k": 0}, "k: 0 bases; must be from 1 to 8"),
        ({"kind": "kmer_overlapping", "k": 9}, "k: 9 bases"),
        ({"kind": "kmer", "k": 6, "vocab_size": 4000}, "too small for k = 6: 4,096 entries of DNA"),
        ({"kind": "kmer_overlapping", "k": 3, "vocab_size": 300}, "85 entries of DNA"),
        ({"kind": "kmer", "min_dna_run": 0}, "min_dna_run: 0"),
        ({"kind": "sentencepiece_bpe", "max_dna_token": 513}, "max_dna_token: 513 bases; must be at most 512"),
        ({"min_dna_run": 100_001}, "from 1 to 100,000"),
        ({"kind": "kmer_overlapping", "k": 3, "min_dna_run": 257}, "at most 256"),
    ],
)
def test_options_that_cannot_work_are_refused_and_nothing_is_written(make_corpus, tmp_path, options, said):
    corpus = make_corpus(dna=["genome.fa"], text=["english.txt"])
    with pytest.raises(InputError, match=said):
        run(TokenizerConfig(corpus=str(corpus), output=str(tmp_path / "tok"), **options))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "sentencepiece_unigram"])
@pytest.mark.parametrize("sources", [{"dna": ["genome.fa"]}, {"text": ["english.txt"]}], ids=lambda s: next(iter(s)))
def test_every_kind_trains_on_a_corpus_of_one_kind_and_warns(make_corpus, tmp_path, capsys, kind, sources):
    options = {"k": 3} if "kmer" in kind else {}
    run(
        TokenizerConfig(
            corpus=str(make_corpus(**sources)), output=str(tmp_path / "t"), kind=kind, vocab_size=500, **options
        )
    )
    assert "warning: only 0.0% of the training characters are" in capsys.readouterr().out
    tokenizer = load_tokenizer(tmp_path / "t")
    assert tokenizer.decode(token_ids(tokenizer, [f"what is {RUN}?"])[0]) == f"what is {RUN}?"


def test_the_manifest_holds_the_settings_the_kind_resolved_to(folders):
    config = with_defaults(TokenizerConfig(corpus="c", output="o", kind="kmer"))
    assert (config.k, config.min_dna_run, config.max_dna_token) == (6, 8, None)


@settings(max_examples=60, deadline=None)
@given(runs=st.lists(st.text("ACGTN", min_size=16, max_size=80), max_size=5))
def test_ids_of_overlapping_words_looked_up_are_the_tokenizers_own(tokenizers, runs):
    tokenizer = tokenizers["kmer_overlapping"]
    assert word_ids(tokenizer)(runs) == token_ids(tokenizer, runs)


@pytest.mark.parametrize("name", sorted(set(VARIANTS) - {"kmer_overlapping", "kmer_overlapping_template"}))
def test_no_other_kind_has_overlapping_words_to_look_up(tokenizers, name):
    assert word_ids(tokenizers[name]) is None


@pytest.mark.parametrize("name", ["kmer_overlapping_template", "bpe_template"])
def test_every_fixed_text_of_the_prompt_is_one_token(tokenizers, name):
    prompt = render_prompt(tokenizers[name], "Is it?", RUN)
    fixed = [token for token in tokens(tokenizers[name], prompt) if " a task." in token or "###" in token]
    assert len(fixed) == 4 and fixed[1:] == [f"\n\n### {part}:\n" for part in ("Instruction", "Input", "Response")]


def test_the_tokens_of_the_template_are_for_all_kinds_but_sentencepiece():
    refused = TokenizerConfig("corpus", "out", kind="sentencepiece_bpe", template_tokens=True)
    with pytest.raises(InputError, match="template_tokens: does not apply to kind sentencepiece_bpe"):
        with_defaults(refused)
