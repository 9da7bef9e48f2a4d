import json
import shutil

import pytest

from dnahlm.io import InputError
from dnahlm.tokenizer.load import fingerprint, load_tokenizer, token_ids

TEXTS = ["Is it a promoter? ACGTACGTNNACGT", "### Input:\nACGTACGTAC\n\n### Response:\n", "naïve  café\t\n"]


def message(name):
    with pytest.raises(InputError) as error:
        load_tokenizer(name)
    return str(error.value)


@pytest.fixture
def copy(tokenizer_folder, tmp_path):
    return shutil.copytree(tokenizer_folder, tmp_path / "tok")


def change(folder, **values):
    """Set or (None) remove entries of tokenizer_config.json."""
    path = folder / "tokenizer_config.json"
    settings = json.loads(path.read_text()) | values
    path.write_text(json.dumps({k: v for k, v in settings.items() if v is not None}))


def test_a_saved_tokenizer_encodes_as_before_and_keeps_its_fingerprint(tokenizer, tokenizer_folder):
    loaded = load_tokenizer(tokenizer_folder)
    assert loaded(TEXTS)["input_ids"] == tokenizer(TEXTS)["input_ids"]
    assert loaded.chat_template == tokenizer.chat_template
    assert fingerprint(loaded) == fingerprint(tokenizer)


def test_fingerprint_forgets_padding_truncation_and_template(tokenizer_folder):
    loaded = load_tokenizer(tokenizer_folder)
    before = fingerprint(loaded)
    loaded(TEXTS, padding="max_length", truncation=True, max_length=5)
    loaded.chat_template = "{{ messages }}"
    loaded.padding_side = "left"
    assert fingerprint(loaded) == before


def test_fingerprint_sees_an_added_token_and_other_merges(tokenizer, tokenizer_folder, tiny_tokenizer):
    loaded = load_tokenizer(tokenizer_folder)
    loaded.add_tokens(["<label>"])
    assert len({fingerprint(t) for t in (tokenizer, loaded, tiny_tokenizer)}) == 3


def test_text_that_spells_a_special_token_out_gets_no_special_token(tokenizer):
    (ids,) = token_ids(tokenizer, ["stop <|endoftext|> here"])
    assert tokenizer.eos_token_id not in ids
    assert tokenizer.decode(ids) == "stop <|endoftext|> here"
    assert tokenizer("<|endoftext|>")["input_ids"] == [tokenizer.eos_token_id]


def test_missing_folder_and_unknown_name_are_errors(tmp_path):
    assert "no such folder" in message(tmp_path / "none")
    assert "hub name" in message("no-such-tokenizer-anywhere")


def test_checkpoint_without_tokenizer_names_the_missing_file(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    said = message(tmp_path)
    assert "a checkpoint folder without a tokenizer: tokenizer.json is missing" in said
    assert "Copy tokenizer.json" in said


def test_half_a_vocabulary_is_not_a_tokenizer(tmp_path):
    (tmp_path / "vocab.json").write_text("{}")
    assert "tokenizer.json is missing" in message(tmp_path)


def test_damaged_tokenizer_file_is_an_error(copy):
    path = copy / "tokenizer.json"
    path.write_text(path.read_text()[:1000])
    assert str(copy) in message(copy)


@pytest.mark.parametrize("name", ["pad_token", "eos_token"])
def test_missing_special_token_is_an_error(copy, name):
    change(copy, **{name: None})
    assert f"has no {name}" in message(copy)


def test_pad_that_is_also_the_end_is_an_error(copy):
    change(copy, pad_token="<|endoftext|>")
    assert "could not learn to stop" in message(copy)


def test_missing_chat_template_is_an_error(copy):
    (copy / "chat_template.jinja").unlink()
    assert "no chat template" in message(copy)


def test_dropout_that_a_file_has_on_is_switched_off_when_loaded(tokenizer, tmp_path, capsys):
    tokenizer.save_pretrained(tmp_path / "tok")
    path = tmp_path / "tok" / "tokenizer.json"
    state = json.loads(path.read_text())
    state["model"]["dropout"] = 0.5
    path.write_text(json.dumps(state))
    loaded = load_tokenizer(tmp_path / "tok")
    assert loaded("ACGTACGTACGT")["input_ids"] == tokenizer("ACGTACGTACGT")["input_ids"]
    assert len({tuple(loaded("ACGT" * 30)["input_ids"]) for _ in range(20)}) == 1
    assert "BPE-dropout of 0.5 is switched off" in capsys.readouterr().out
