"""Recipe files and command lines that cannot be read."""

import json
import re

import pytest
from small_world import put

from dnahlm.cli import COMMANDS, main

RECIPES = {
    "misspelt key": ("corpus: x\nvocab_sise: 3\n", "yaml:2: unknown key 'vocab_sise'. Did you mean 'vocab_size'"),
    "2e-5 for a count": (
        "corpus: x\nvocab_size: 2e-5\n",
        "yaml:2: vocab_size: found the text '2e-5' where a whole number",
    ),
    "half a token": ("corpus: x\nvocab_size: 300.5\n", "yaml:2: vocab_size: found 300.5 where a whole number"),
    "true for a count": ("corpus: x\nvocab_size: yes\n", "yaml:2: vocab_size: found True where a whole number"),
    "bare no": ("corpus: no\n", 'yaml:1: corpus: found False where text is needed.*Quote it, as in "no"'),
    "bare number": ("corpus: 2020\n", 'yaml:1: corpus: found 2020 where text is needed. Quote it, as in "2020"'),
    "date": ("corpus: 2020-01-01\n", 'where text is needed. Quote it, as in "2020-01-01"'),
    "nothing": ("vocab_size: 300\ncorpus:\n", "yaml:2: corpus: found nothing where text is needed"),
    "list": ("corpus: [a, b]\n", r"yaml:1: corpus: found \['a', 'b'\] where text is needed"),
    "number for a switch": ("corpus: x\noverwrite: 1\n", "yaml:2: overwrite: found 1 where true or false is needed"),
    "tab": ("corpus:\n\t- x\n", "yaml:2: not valid YAML: .*Indent with blanks, not tabs"),
    "key twice": ("corpus: x\ncorpus: y\n", "yaml:2: key 'corpus' was already given on line 1"),
    "number as key": ("1: x\n", "yaml:1: unknown key 1. Known: corpus"),
    "list as key": ("? [a]\n: x\n", "yaml:1: found .* as a key"),
    "control character": (b"corpus: x\nseed: \x07\n", "yaml:2: character 0x7 is not allowed"),
    "object tag": ("corpus: !!python/object/apply:os.getcwd []\n", "yaml:1: not valid YAML"),
    "two documents": ("corpus: x\n---\ncorpus: y\n", "yaml:2: not valid YAML"),
    "no mapping": ("- corpus\n", "yaml: must be a YAML mapping"),
    "only a comment": ("# later\n", "yaml: must be a YAML mapping .* found nothing"),
    "empty": ("", "yaml: the file is empty"),
    "utf-16": ("corpus: x\n".encode("utf-16"), "yaml:1: byte 0xff is not UTF-8"),
}


@pytest.mark.parametrize("case", RECIPES)
def test_a_recipe_that_cannot_be_used_is_refused(case, tmp_path, refused):
    content, message = RECIPES[case]
    recipe = put(tmp_path / "r.yaml", content)
    assert re.search(message, refused("tokenizer", "train", "--config", recipe, "--output", tmp_path / "out"))


def test_text_where_a_list_is_needed_is_not_taken_apart_into_letters(tmp_path, refused):
    recipe = put(tmp_path / "r.yaml", "text: [x.txt]\ndna: genome.fa\n")
    said = refused("corpus", "build", "--config", recipe, "--output", tmp_path / "out")
    assert "r.yaml:2: dna: found the text 'genome.fa' where a list such as [a, b] is needed. Write [genome.fa]" in said


def test_2e_5_is_a_number_where_a_number_is_needed(world, tmp_path):
    recipe = put(tmp_path / "r.yaml", f"text: [{world}/english.txt]\nvalidation_share: 5e-1\n")
    main(["corpus", "build", "--config", str(recipe), "--output", str(tmp_path / "out")])
    assert json.loads((tmp_path / "out/manifest.json").read_text())["config"]["validation_share"] == 0.5


TRAIN = ("tokenizer", "train")
COMMAND_LINES = {
    "unknown command": (("trian",), "no command 'trian'. Known: chat, corpus build"),
    "second word missing": (("corpus",), "Did you mean 'corpus build' or 'corpus merge' or 'corpus pack'"),
    "second word misspelt": (("tokenizer", "trian"), "Did you mean 'tokenizer train'"),
    "unknown option": ((*TRAIN, "--vocabsize", "3"), "unknown option '--vocabsize'. Did you mean '--vocab_size'"),
    "option cut short": ((*TRAIN, "--vocab", "3"), "unknown option '--vocab'. Did you mean '--vocab_size'"),
    "option missing": ((*TRAIN, "--corpus", "x"), "required: --output"),
    "value missing": ((*TRAIN, "--corpus"), "--corpus: expected one argument"),
    "value without option": ((*TRAIN, "--corpus", "x", "--output", "y", "z"), "found 'z', which follows no option"),
    "word for a number": (
        (*TRAIN, "--corpus", "x", "--output", "y", "--seed", "one"),
        "--seed: invalid int value: 'one'",
    ),
    "config without file": ((*TRAIN, "--config"), "--config needs the name of a YAML file"),
    "config before an option": ((*TRAIN, "--config", "--corpus", "x"), "--config needs the name of a YAML file"),
    "config twice": ((*TRAIN, "--config", "a", "--config=b"), "--config is given 2 times"),
    "config missing": ((*TRAIN, "--config=nowhere.yaml"), "nowhere.yaml: no such file"),
    "config is a folder": ((*TRAIN, "--config", "/"), "is a folder"),
}


@pytest.mark.parametrize("case", COMMAND_LINES)
def test_a_command_line_that_cannot_be_read_is_refused_in_one_line(case, refused):
    args, message = COMMAND_LINES[case]
    assert message in refused(*args)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_explains_every_option_of_a_command(command, capsys):
    with pytest.raises(SystemExit) as stop:
        main([*command.split(), "--help"])
    shown = capsys.readouterr().out
    assert stop.value.code == 0
    assert "--config FILE" in shown
    for entry in re.split(r"\n  (?=--)", shown)[1:]:
        assert re.search(r"[a-z]{3,} ", re.sub(r"^(--\S+(, )?|[A-Z_]+|\[.*?\]|\s)+", "", entry)), f"no help: {entry}"
