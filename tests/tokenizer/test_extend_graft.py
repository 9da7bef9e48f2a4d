"""Every layout of a published tokenizer: English and old ids untouched, DNA exact, nothing swallowed."""

import itertools
import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from published_layouts import BASES
from tokenizers import AddedToken

from dnahlm.io import InputError
from dnahlm.tokenizer.extend import extend
from dnahlm.tokenizer.graft import first_new_id, graft, is_dna
from dnahlm.tokenizer.load import load_tokenizer, read_tokenizer, token_ids
from dnahlm.tokenizer.marked_pieces import longest_first

MIN_RUN = 8
LEARNT = ["".join(p) for k in (2, 3, 4) for p in itertools.product("ACGT", repeat=k)] + ["NN", "NNNN", "GATTACAG"]
WORDS = [
    "CAT",
    "GATTACA",
    " TATA",
    "ACT",
    " AC GT",
    "\n",
    "  ",
    "it's",
    " the",
    "é",
    "北京",
    "</s>",
    "▁",
    "X",
    " X",
    "12",
]
SHORT = st.text("ACGTN", min_size=1, max_size=MIN_RUN - 1)
ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
ENGLISH = st.lists(st.one_of(st.sampled_from(WORDS), SHORT, ANY), max_size=10).map("".join)
NO_RUN = ENGLISH.filter(lambda text: not re.search(f"[ACGTN]{{{MIN_RUN}}}", text) and "<|pad|>" not in text)
DNA = st.text("ACGTN", min_size=MIN_RUN, max_size=40)
EACH = pytest.mark.parametrize("name", BASES)


@pytest.fixture(scope="module")
def pairs():
    """Layout -> (the base, the base extended by 300 DNA tokens)."""
    made = {name: make() for name, make in BASES.items()}
    return {name: (base, extend(base, LEARNT, 300, MIN_RUN, name)) for name, base in made.items()}


def ids(tokenizer, text):
    return tokenizer(text, add_special_tokens=False)["input_ids"]


@EACH
@settings(max_examples=200, deadline=None)
@given(text=NO_RUN)
def test_text_without_a_dna_run_gets_the_ids_it_had(pairs, name, text):
    base, extended = pairs[name]
    assert ids(extended, text) == ids(base, text)
    assert token_ids(extended, [text]) == token_ids(base, [text])  # special tokens spelt out
    assert extended(text)["input_ids"] == base(text)["input_ids"]  # special tokens added
    assert extended.decode(ids(base, text)) == base.decode(ids(base, text))


@EACH
def test_a_text_that_spells_the_new_pad_token_out_keeps_its_ids_as_plain_text_only(pairs, name):
    base, extended = pairs[name]
    assert token_ids(extended, ["a <|pad|> b"]) == token_ids(base, ["a <|pad|> b"])
    assert extended.pad_token_id in ids(extended, "a <|pad|> b")


@EACH
@settings(max_examples=200, deadline=None)
@given(before=NO_RUN, dna=DNA, after=NO_RUN)
def test_dna_comes_back_exactly_and_no_token_holds_it_and_prose(pairs, name, before, dna, after):
    base, extended = pairs[name]
    before, after = (re.sub("[ACGTN]+$", "", before), re.sub("^[ACGTN]+", "", after))
    found = token_ids(extended, [before + dna + after])[0]
    pieces = [p for p in extended.convert_ids_to_tokens(found) if is_dna(p)]
    assert "".join(pieces).replace(" ", "") == dna
    assert extended.decode(found) == base.decode(token_ids(base, [before + dna + after])[0])
    assert max(map(len, pieces)) <= 1 + 8


@EACH
@settings(max_examples=50, deadline=None)
@given(prompt=NO_RUN, dna=DNA)
def test_what_stands_before_dna_gets_the_ids_it_has_alone(pairs, name, prompt, dna):
    prompt = re.sub("[ACGTN]+$", "", prompt) + ":\n"
    alone = token_ids(pairs[name][1], [prompt])[0]
    both = token_ids(pairs[name][1], [prompt + dna])[0]
    assert both[: len(alone)] == alone
    assert all(is_dna(token) for token in pairs[name][1].convert_ids_to_tokens(both[len(alone) :]))


@EACH
def test_every_new_token_is_made_of_its_own_letters_and_old_ones_are_where_they_were(pairs, name):
    base, extended = pairs[name]
    old, new = base.get_vocab(), extended.get_vocab()
    assert {token: new[token] for token in old} == old
    first = max(old.values()) + 1
    assert first_new_id(new) == first
    added = {token: number for token, number in new.items() if number > first}
    dna = {token for token in added if is_dna(token)}
    assert len(dna) == 300 and sorted(new.values()) == list(range(len(new)))
    assert set(added) - dna <= {"<|pad|>"}
    for token in dna:
        assert extended.backend_tokenizer.model.tokenize(token)[0].id == added[token]
        assert extended.convert_tokens_to_string([token]) == token[1:]


@EACH
def test_it_loads_with_auto_tokenizer_beside_a_config_and_is_complete(pairs, name, tmp_path):
    from transformers import AutoTokenizer

    base, extended = pairs[name]
    extended.save_pretrained(tmp_path)
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    text = "Is GATTACA in ACGTACGTNNNNACGTTTT?\n"
    assert ids(loaded, text) == ids(extended, text)
    assert load_tokenizer(tmp_path).pad_token_id not in (loaded.eos_token_id, None)
    assert (loaded.eos_token, loaded.bos_token) == (base.eos_token, base.bos_token)
    old = json.loads(base.backend_tokenizer.to_str())
    now = json.loads(loaded.backend_tokenizer.to_str())
    assert [t for t in now["added_tokens"] if t["content"] != "<|pad|>"] == old["added_tokens"]
    assert (now["normalizer"], now["post_processor"]) == (old["normalizer"], old["post_processor"])


@EACH
def test_a_question_and_its_answer_are_told_apart(pairs, name):
    from dnahlm.tasks.prompt import encode, render_prompt

    _, extended = pairs[name]
    prompt = render_prompt(extended, "Is it a promoter?", "ACGTTTACGTACGTACGTTT")
    (asked,), (answer,) = encode(extended, [prompt], ["non-promoter"])
    assert extended.decode(asked).removeprefix(" ") == prompt  # of GPT-2 with `add_prefix_space`
    assert extended.decode(answer) == "non-promoter" + extended.eos_token


@settings(max_examples=50, deadline=None)
@given(parts=st.lists(st.one_of(st.sampled_from([" ", "  ", "    ", "a", "\n"]), DNA), max_size=6))
def test_blanks_that_are_added_tokens_stay_what_they_are(parts):
    """As in GPT-NeoX."""
    base = BASES["gpt2"]()
    base.add_tokens(["  ", "    "])
    extended, text = extend(base, LEARNT, 40, MIN_RUN, "neox"), "".join(parts)
    assert extended.decode(ids(extended, text)) == text
    english = "".join(part for part in parts if part.strip("ACGTN"))
    assert ids(extended, english) == ids(base, english)


@settings(max_examples=100, deadline=None)
@given(words=st.sets(st.text("ACGTN", min_size=1, max_size=5), min_size=1), text=st.text("ACGTN", max_size=8))
def test_the_pattern_matches_the_longest_word(words, text):
    match = re.match(longest_first(words), text)
    fits = [word for word in words if text.startswith(word)]
    assert (match.group() if match else None) == (max(fits, key=len) if fits else None)


def test_a_pad_token_that_also_ends_a_text_is_replaced_and_one_of_its_own_is_kept():
    base = BASES["qwen2"]()
    assert base.pad_token == base.eos_token
    assert extend(base, LEARNT, 20, MIN_RUN, "x").pad_token == "<|pad|>"
    base.pad_token = "<|im_end|>"
    kept = extend(base, LEARNT, 20, MIN_RUN, "x")
    assert kept.pad_token == "<|im_end|>" and "<|pad|>" not in kept.get_vocab()


def test_ids_that_no_token_has_are_filled_so_that_rows_and_entries_agree():
    base = BASES["gpt2"]()
    state = json.loads(base.backend_tokenizer.to_str())
    top = state["added_tokens"][0]["id"]
    state["added_tokens"][0]["id"] = state["model"]["vocab"]["<|endoftext|>"] = top + 3
    from tokenizers import Tokenizer

    grafted = graft(Tokenizer.from_str(json.dumps(state)), LEARNT, 20, MIN_RUN, "x")
    assert grafted.token_to_id("<|endoftext|>") == top + 3
    assert sorted(grafted.get_vocab().values()) == list(range(top + 3 + 1 + 21))


def refusal(base, **settings):
    with pytest.raises(InputError) as refused:
        extend(base, LEARNT, 20, MIN_RUN, "some/base", **settings)
    assert str(refused.value).startswith("some/base: ")
    return str(refused.value)


def with_state(change):
    """GPT-2's layout with something changed in its tokenizer.json."""
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    state = json.loads(BASES["gpt2"]().backend_tokenizer.to_str())
    change(state)
    return PreTrainedTokenizerFast(tokenizer_object=Tokenizer.from_str(json.dumps(state)), eos_token="<|endoftext|>")


def test_a_tokenizer_that_already_knows_dna_is_refused(pairs, tiny_tokenizer):
    assert "already isolates DNA" in refusal(pairs["gpt2"][1])
    assert "already isolates DNA" in refusal(tiny_tokenizer)


@pytest.mark.parametrize(("number", "said"), [(5, "id 5 is claimed by '&'"), (999, "id 999 is claimed by")])
def test_a_reserved_token_with_an_id_that_is_not_its_own_is_refused(tmp_path, number, said):
    BASES["gpt2"]().save_pretrained(tmp_path)
    state = json.loads((tmp_path / "tokenizer.json").read_text())
    state["added_tokens"][0]["id"] = number
    (tmp_path / "tokenizer.json").write_text(json.dumps(state))
    with pytest.raises(InputError) as refused:
        read_tokenizer(tmp_path)
    assert str(refused.value).startswith(f"{tmp_path}/tokenizer.json: {said}")
    assert "<|endoftext|>" in str(refused.value)


def test_a_new_reserved_token_on_the_id_of_a_word_is_refused(tmp_path):
    BASES["gpt2"]().save_pretrained(tmp_path)
    state = json.loads((tmp_path / "tokenizer.json").read_text())
    state["added_tokens"].append({**state["added_tokens"][0], "content": "<|pad|>", "id": 7})
    (tmp_path / "tokenizer.json").write_text(json.dumps(state))
    with pytest.raises(InputError, match=r"id 7 is claimed by '\(' and by the reserved token '<\|pad\|>'\. Give"):
        read_tokenizer(tmp_path)


def test_two_reserved_tokens_with_one_id_are_refused(tmp_path):
    BASES["gpt2"]().save_pretrained(tmp_path)
    state = json.loads((tmp_path / "tokenizer.json").read_text())
    state["added_tokens"].append({**state["added_tokens"][0], "content": "<|pad|>"})
    (tmp_path / "tokenizer.json").write_text(json.dumps(state))
    with pytest.raises(InputError, match=r"claimed by '<\|endoftext\|>' and by the reserved token '<\|pad\|>'\. Give"):
        read_tokenizer(tmp_path)


def test_an_id_of_billions_is_refused_when_read_and_not_filled_up_to(tmp_path):
    BASES["gpt2"]().save_pretrained(tmp_path)
    state = json.loads((tmp_path / "tokenizer.json").read_text())
    state["model"]["vocab"]["!"] = 4_000_000_000
    (tmp_path / "tokenizer.json").write_text(json.dumps(state))
    with pytest.raises(InputError, match=r"token '!' has id 4,000,000,000; ids must be below 1,000,000"):
        read_tokenizer(tmp_path)


def test_a_base_whose_splitter_takes_dna_apart_is_refused():
    """Characters are such a base: DNA tokens would be added, and never be used."""

    def characters(state):
        single = {"type": "Split", "pattern": {"Regex": r"[\s\S]"}, "behavior": "Isolated", "invert": False}
        state["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": [single, state["pre_tokenizer"]]}

    assert "takes DNA apart before its model sees it" in refusal(with_state(characters))


def test_only_runs_as_long_as_asked_become_dna_tokens():
    extended = extend(BASES["gpt2"](), LEARNT, 20, 60, "x")
    for n, found in ((59, False), (60, True)):
        assert any(map(is_dna, extended.convert_ids_to_tokens(ids(extended, "A" * n)))) is found


def test_a_reserved_token_whose_name_is_an_ordinary_word_is_refused():
    def word(state):
        state["model"]["vocab"]["<|pad|>"] = len(state["model"]["vocab"])

    assert "<|pad|> (id" in refusal(with_state(word))


def test_a_reserved_token_of_that_name_becomes_the_pad_token():
    base = BASES["gpt2"]()
    base.add_tokens([AddedToken("<|pad|>", special=True)])
    assert extend(base, LEARNT, 20, MIN_RUN, "x").pad_token_id == base.get_vocab()["<|pad|>"]


def test_a_base_that_lowers_the_case_or_has_no_end_is_refused():
    def lower(state):
        state["normalizer"] = {"type": "Lowercase"}

    assert "does not give DNA back" in refusal(with_state(lower))
    base = BASES["gpt2"]()
    base.eos_token = None
    assert "no eos_token" in refusal(base)


def test_unigram_is_refused_with_what_to_do():
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    unigram = Tokenizer(models.Unigram([("<unk>", 0.0), ("▁a", -1.0)], unk_id=0))
    said = refusal(PreTrainedTokenizerFast(tokenizer_object=unigram, eos_token="<unk>"))
    assert "its model is Unigram" in said and "dnahlm tokenizer train" in said
