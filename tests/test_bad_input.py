"""Bad input, through the command line: one message that names the place and the way out, status 2, nothing changed."""

import gzip
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from small_world import DNA, snapshot, stages

from dnahlm.cli import COMMANDS, main

DAMAGED_GZIP = gzip.compress(f">a\n{DNA * 5000}\n".encode())[:60]


@pytest.fixture
def refused(capsys, tmp_path):
    """Run a command that must be refused; returns its one-line message."""

    def run(*args):
        before = snapshot(tmp_path)
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main([str(arg) for arg in args])
        said = capsys.readouterr().err
        assert stop.value.code == 2, said
        assert "Traceback" not in said
        assert snapshot(tmp_path) == before, "something was written or lost"
        (line,) = [line for line in said.splitlines() if line.startswith("error: ")]
        return line

    return run


def put(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def predict(world, source, output, *more):
    return (
        "predict",
        "--model",
        world / "sft",
        "--task",
        "core_promoter",
        "--input",
        source,
        "--output",
        output,
        *more,
    )


SEQUENCE_FILES = {
    "empty": ("x.fa", "", "x.fa: the file is empty"),
    "protein": ("x.fa", ">p\nACGTAC\nACKEFILP\n", "x.fa:3: record 'p': 'E' at base 10 .*looks like a protein"),
    "blank record": ("x.fa", ">a\nACGT\n>b\n>c\nACGT\n", "x.fa:3: record 'b' has no sequence"),
    "no id": ("x.fa", ">\nACGT\n", "x.fa:1: a record without an id"),
    "two ids": ("x.fa", f">a\n{DNA}\n>a\n{DNA}\n", "x.fa:3: record id 'a' was already used on line 1"),
    "crlf": ("x.fa", b">a\r\nACGT\r\nAC-T\r\n", "x.fa:3: record 'a': '-' at base 7"),
    "text first": ("x.fa", "hello\n>a\nACGT\n", "x.fa:1: text before the first record: 'hello'"),
    "html": ("x.fa", "<!DOCTYPE html>\n<html>404</html>\n", "x.fa:1: .*<!DOCTYPE html>.*another kind of file"),
    "byte order mark": ("x.fa", b"\xef\xbb\xbf>a\nACGT\n", "x.fa:1: starts with a byte order mark"),
    "utf-16": ("x.fa", ">a\nACGT\n".encode("utf-16"), "x.fa:1: byte 0xff is not UTF-8"),
    "latin-1": ("x.fa", b">a\nACGT\n>caf\xe9\nACGT\n", "x.fa:3: byte 0xe9 is not UTF-8"),
    "gzip cut short": ("x.fa.gz", DAMAGED_GZIP, "x.fa.gz: the gzip file is cut short"),
    "gzip of nothing": ("x.fa.gz", gzip.compress(b""), "holds no record"),
    "no gzip at all": ("x.fa.gz", ">a\nACGT\n", "x.fa.gz: the gzip file is cut short or damaged"),
    "gzip without .gz": ("x.fa", gzip.compress(b">a\nACGT\n"), r"Rename it to x\.fa\.gz"),
    "zip": ("x.fa", b"PK\x03\x04\x14\x00\xff", "x.fa:1: byte 0xff is not UTF-8"),
    "white space": ("x.fa", "\n  \n", "holds no record"),
    "nul": ("x.fa", b">a\nAC\x00GT\n", r"x.fa:2: record 'a': '\\x00' at base 3"),
    "fastq cut short": ("x.fq", "@a\nACGT\n+\nII\n", "x.fq:1: .*2 quality characters for 4 bases"),
    "genbank cut short": ("x.gb", "LOCUS       X 4 bp DNA\nORIGIN\n        1 acgt\n", "x.gb:1: .*ends with a line"),
    "extension": ("x.seq", ">a\nACGT\n", "extension '.seq' .*Allowed: .fa"),
}


@pytest.mark.parametrize("case", SEQUENCE_FILES)
@pytest.mark.parametrize("command", ["predict", "corpus"])
def test_a_sequence_file_that_cannot_be_used_is_refused(command, case, world, tmp_path, refused):
    name, content, message = SEQUENCE_FILES[case]
    source = put(tmp_path / name, content)
    build = ("corpus", "build", "--dna", source, "--text", world / "english.txt", "--output", tmp_path / "out")
    assert re.search(message, refused(*(build if command == "corpus" else predict(world, source, tmp_path / "o.csv"))))


def test_a_missing_file_or_a_folder_in_its_place_says_what_is_there(world, tmp_path, refused):
    put(tmp_path / "genome.fa", ">a\nACGT\n")
    assert "genome.fa" in refused(*predict(world, tmp_path / "genom.fa", tmp_path / "o.csv"))
    assert "is a folder" in refused(*predict(world, tmp_path, tmp_path / "o.csv"))
    for place in (tmp_path / "genom.fa", tmp_path):
        assert "holds genome.fa" in refused("corpus", "build", "--dna", place, "--output", tmp_path / "out")


TABLES = {
    "missing column": ("seq,label\nACGT,0\n", "csv:1: no column 'sequence'; found: 'seq', 'label'"),
    "swapped columns": (f"sequence,label\n1,{DNA}\n", "csv:2: .*column 'sequence': '1' at base 1 is not a nucleotide"),
    "empty sequence": (f"sequence,label\n{DNA},0\n,1\n", "csv:3: column 'sequence' is empty"),
    "quoted newline": ('sequence,label\n"ACGT\nACGT",0\n', "csv:2: column 'sequence' holds a quoted newline"),
    "byte order mark": (b"\xef\xbb\xbfsequence,label\nAC-T,0\n", "csv:2: .*'-' at base 3"),
    "semicolons": ("sequence;label\nACGT;0\n", "csv:1: .*separator seems to be ';'"),
    "tabs": ("sequence\tlabel\nACGT\t0\n", r"csv:1: .*separator seems to be '\\t'"),
    "only a header": ("sequence,label\n", "has a header line and no rows"),
    "no header": (f"{DNA},0\n{DNA},1\n", "csv:1: .*The first line must name the columns"),
    "short row": (f"sequence,label\n{DNA},0\n{DNA}\n", "csv:3: found 1 fields where the header has 2"),
    "long row": (f"sequence,label\n{DNA},0,7\n", "csv:2: found 3 fields where the header has 2"),
    "column twice": ("sequence,label,sequence\nA,0,A\n", "csv:1: column 'sequence' is there 2 times"),
    "open quote": (f'sequence,label\n"{DNA},0\n', "csv:2: broken quoting"),
    "utf-16": ("sequence,label\nACGT,0\n".encode("utf-16"), "csv:1: byte 0xff is not UTF-8"),
    "spreadsheet": (b"PK\x03\x04\x14\x00\x06\x00\xff", "csv:1: byte 0xff is not UTF-8"),
    "html": ("<!DOCTYPE html><html>\n<body>\n", "csv:1: no column 'sequence'"),
    "empty": ("", "csv: the file is empty"),
    "blank lines": ("\n\n", "no header line"),
    "protein": ("sequence,label\nMKVLE,0\n", "csv:2: .*looks like a protein"),
}


@pytest.mark.parametrize("case", TABLES)
def test_a_table_that_cannot_be_used_is_refused(case, world, tmp_path, refused):
    content, message = TABLES[case]
    shutil.copytree(world / "a", tmp_path / "a")
    table = put(tmp_path / "a/train.csv", content)
    assert re.search(message, refused(*predict(world, table, tmp_path / "o.csv")))
    build = ("instructions", "build", "--tasks", world / "task.yaml", "--data_root", tmp_path)
    assert re.search(message, refused(*build, "--output", tmp_path / "out"))


def test_a_label_the_task_does_not_declare_names_the_row_and_the_task_file(world, tmp_path, refused):
    shutil.copytree(world / "a", tmp_path / "a")
    put(tmp_path / "a/dev.csv", f"sequence,label\n{DNA},0\n{DNA[1:]},2\n")
    build = ("instructions", "build", "--tasks", world / "task.yaml", "--data_root", tmp_path)
    said = refused(*build, "--output", tmp_path / "out")
    assert re.search(r"dev\.csv:3: label '2' is not declared .*\['0', '1'\].*task\.yaml", said)


def test_a_sequence_longer_than_the_context_says_how_many_bases_fit(world, tmp_path, refused):
    long = put(tmp_path / "long.fa", f">a\n{DNA}\n>b\n{DNA * 200}\n")
    said = refused(*predict(world, long, tmp_path / "o.csv"))
    assert re.search(r"long\.fa.*'b'.*10,000 bases .*about [\d,]+ bases fit .*--too_long center", said)


def test_lower_case_u_n_and_iupac_letters_are_answered_by_the_stated_policy(world, tmp_path):
    texts = {"plain": DNA + "TNN", "written": DNA.lower() + "UNR"}
    for name, text in texts.items():
        main(list(map(str, predict(world, put(tmp_path / f"{name}.fa", f">a\n{text}\n"), tmp_path / f"{name}.csv"))))
    plain, written = ((tmp_path / f"{name}.csv").read_text().splitlines()[1] for name in texts)
    assert plain.split(",")[:6] == written.split(",")[:6]
    assert "1 IUPAC letter became N" in written


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
    "second word missing": (("corpus",), "Did you mean 'corpus build' or 'corpus pack'"),
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


OUTPUTS = {
    "not empty": ("full", (), "full: already there and not empty.*--overwrite"),
    "what no stage wrote": ("full", ("--overwrite",), "no manifest.json, so no stage wrote it"),
    "a file": ("full/thesis.txt", ("--overwrite",), "is no folder"),
    "inside a file": ("full/thesis.txt/out", (), "Not a directory"),
    "its own input": ("world/corpus", ("--overwrite",), "is also the input .*world/corpus"),
    "a folder that holds its input": ("world", ("--overwrite",), "is also the input .*world/corpus"),
}


@pytest.mark.parametrize("case", OUTPUTS)
def test_an_output_that_would_cost_something_is_refused(case, world, tmp_path, refused):
    name, options, message = OUTPUTS[case]
    put(tmp_path / "full/thesis.txt", "years of work")
    for part in ("corpus", "tokenizer"):
        shutil.copytree(world / part, tmp_path / "world" / part)
    said = refused(*stages(tmp_path / "world")["pack"], "--output", tmp_path / name, *options)
    assert re.search(message, said)


def test_predict_replaces_neither_its_input_nor_a_folder_nor_a_device(world, tmp_path, refused):
    source = put(tmp_path / "x.fa", f">a\n{DNA}\n")
    os.mkfifo(tmp_path / "pipe")
    for output, message in (
        (source, "is also the input"),
        (tmp_path, "is a folder"),
        (tmp_path / "pipe", "a device or a pipe"),
    ):
        assert message in refused(*predict(world, source, output, "--overwrite"))


def test_an_output_behind_a_link_is_replaced_where_it_lies(world, tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "disk")
    for _ in range(2):
        main([*stages(world)["tokenizer"], "--output", str(tmp_path / "out"), "--overwrite"])
    assert (tmp_path / "out").is_symlink() and (tmp_path / "disk/tokenizer.json").is_file()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["disk", "out"]


def cut(name, n=50):
    return lambda folder: put(folder / name, (folder / name).read_bytes()[:n])


def gone(*names):
    return lambda folder: [(folder / name).unlink() for name in names]


def text(name, content):
    return lambda folder: put(folder / name, content)


CHECKPOINTS = {
    "weights cut short": (cut("model.safetensors", 20000), "cannot be loaded as a causal language model"),
    "weights empty": (text("model.safetensors", ""), "cannot be loaded as a causal language model"),
    "weights gone": (gone("model.safetensors"), "has no weights"),
    "no tokenizer": (gone("tokenizer.json", "tokenizer_config.json"), "a checkpoint folder without a tokenizer"),
    "tokenizer cut short": (cut("tokenizer.json"), "cannot be loaded as a tokenizer"),
    "tokenizer a list": (text("tokenizer.json", "[]"), "cannot be loaded as a tokenizer"),
    "tokenizer settings a list": (text("tokenizer_config.json", "[]"), "cannot be loaded as a tokenizer"),
    "no template": (gone("chat_template.jinja"), "no chat template"),
    "template damaged": (text("chat_template.jinja", "{% if %}"), "its chat template renders no question"),
    "config gone": (gone("config.json"), "has no config.json, so it is not a checkpoint"),
    "config a list": (text("config.json", "[]"), "cannot be loaded"),
    "config empty": (text("config.json", ""), "cannot be loaded"),
    "another architecture": (text("config.json", '{"model_type": "bert", "num_hidden_layers": 1}'), "its weights lack"),
    "facts cut short": (cut("tasks.json", 5), "tasks.json: not valid JSON"),
    "facts without numbers": (text("tasks.json", '{"core_promoter": {}}'), "tasks.json: task 'core_promoter'"),
    "temperature zero": (text("calibration.json", '{"core_promoter": 0}'), "temperature 0; a number above 0"),
    "temperature in words": (text("calibration.json", '{"core_promoter": "hot"}'), "temperature 'hot'"),
    "manifest a list": (text("manifest.json", "[]"), "manifest.json: must hold a JSON object"),
    "task file damaged": (text("tasks/core_promoter.yaml", "id: x\n"), "core_promoter.yaml: key 'version' is missing"),
}


@pytest.mark.parametrize("case", CHECKPOINTS)
def test_a_damaged_checkpoint_is_refused_by_all_who_answer(case, world, tmp_path, refused):
    damage, message = CHECKPOINTS[case]
    damage(shutil.copytree(world / "sft", tmp_path / "sft"))
    model = ("--model", tmp_path / "sft")
    assert message in refused("chat", *model)
    assert message in refused(*predict(tmp_path, world / "ok.fa", tmp_path / "o.csv"))
    assert message in refused(
        "evaluate", *model, "--instructions", world / "instructions", "--output", tmp_path / "out"
    )


def test_what_is_not_a_model_is_refused_by_all_who_answer(world, tmp_path, refused):
    for place, message in (("none", "no such folder"), ("ok.fa", "is a file"), ("corpus", "not a checkpoint")):
        for command in (("chat",), ("evaluate", "--output", tmp_path / "out")):
            assert message in refused(*command, "--model", world / place)


def test_an_unknown_task_is_refused_with_the_nearest_and_the_tuned_ones(world, tmp_path, refused):
    ask = ("predict", "--model", world / "sft", "--input", world / "ok.fa", "--output", tmp_path / "o.csv")
    said = refused(*ask, "--task", "core_promotr")
    assert "Did you mean 'core_promoter'?" in said and "was tuned on: core_promoter, splice_site" in said


CORPORA = {
    "manifest cut short": (cut("manifest.json"), r"manifest\.json:4: not valid JSON"),
    "manifest a list": (text("manifest.json", "[]"), r"manifest\.json: holds no manifest but \[\]"),
    "manifest binary": (text("manifest.json", b"\xff\xfe"), r"manifest\.json:1: not valid JSON"),
    "manifest gone": (gone("manifest.json"), "not a finished output of `dnahlm corpus build`"),
    "train cut short": (cut("train/part-00000.parquet", 500), "train/part-00000.parquet: not a whole parquet file"),
    "train empty": (text("train/part-00000.parquet", ""), "train/part-00000.parquet: not a whole parquet file"),
    "validation gone": (gone("validation/part-00000.parquet"), "validation: holds no parquet file"),
}


@pytest.mark.parametrize("case", CORPORA)
def test_a_damaged_corpus_is_refused_by_tokenizer_and_packer(case, world, tmp_path, refused):
    damage, message = CORPORA[case]
    damage(shutil.copytree(world / "corpus", tmp_path / "corpus"))
    shutil.copytree(world / "tokenizer", tmp_path / "tokenizer")
    for stage in ("tokenizer", "pack"):
        assert re.search(message, refused(*stages(tmp_path)[stage], "--output", tmp_path / "out"))


def change(**values):
    def damage(folder):
        lines = (folder / "test.jsonl").read_text().splitlines()
        record = json.loads(lines[2]) | values
        lines[2] = json.dumps({key: value for key, value in record.items() if value is not None})
        put(folder / "test.jsonl", "\n".join(lines) + "\n")

    return damage


INSTRUCTIONS = {
    "cut short": (cut("test.jsonl", 500), r"test\.jsonl:2: not valid JSON"),
    "empty": (text("test.jsonl", ""), r"test\.jsonl: the file is empty"),
    "gone": (gone("test.jsonl"), r"test\.jsonl: no such file"),
    "key gone": (change(output=None), r"test\.jsonl:3: text for \['output'\] is missing"),
    "number for text": (change(output=1), r"test\.jsonl:3: text for \['output'\] is missing"),
    "answer of no label": (change(output="maybe"), "the answer 'maybe' is not one of task 'core_promoter'"),
    "other sequence": (change(input="ACGT"), r"test_held_out\.jsonl: lacks row"),
    "task without file": (change(task="other"), r"other\.yaml: no such file"),
    "manifest gone": (gone("manifest.json"), "not a finished output of `dnahlm instructions build`"),
}


@pytest.mark.parametrize("case", INSTRUCTIONS)
def test_damaged_instructions_are_refused_by_evaluate(case, world, tmp_path, refused):
    damage, message = INSTRUCTIONS[case]
    damage(shutil.copytree(world / "instructions", tmp_path / "instructions"))
    ask = ("evaluate", "--model", world / "sft", "--instructions", tmp_path / "instructions")
    assert re.search(message, refused(*ask, "--output", tmp_path / "out"))


@pytest.fixture
def unprivileged():
    """Give up root's right to read and write everything, for the time of a test; yields a folder open to all."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    as_root = os.geteuid() == 0
    yield folder, (lambda: os.seteuid(65534)) if as_root else (lambda: None)
    if as_root:
        os.seteuid(0)
    for path in (folder, *folder.rglob("*")):
        path.chmod(stat.S_IRWXU)
    shutil.rmtree(folder)


def test_what_may_not_be_read_or_written_is_named(world, unprivileged, capsys):
    folder, give_up_rights = unprivileged
    main([*stages(world)["tokenizer"], "--output", str(folder / "warm")])  # imports need rights of their own
    corpus = shutil.copytree(world / "corpus", folder / "corpus")
    recipe = put(folder / "secret.yaml", "corpus: x\n")
    table = put(folder / "secret.txt", "English.")
    (folder / "shut").mkdir()
    (folder / "shut").chmod(0o555)
    for path in (recipe, table, corpus / "manifest.json"):
        path.chmod(0)
    give_up_rights()
    for args, name in (
        (["tokenizer", "train", "--config", recipe], "secret.yaml"),
        (["corpus", "build", "--text", table, "--output", folder / "out"], "secret.txt"),
        (["tokenizer", "train", "--corpus", corpus, "--output", folder / "out"], "manifest.json"),
        (["corpus", "build", "--text", folder / "secret.txt", "--output", folder / "shut/out"], "shut/out"),
    ):
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main(list(map(str, args)))
        assert stop.value.code == 2
        assert re.search(f"error: .*{name}.*: Permission denied", capsys.readouterr().err)
    assert not (folder / "out").exists() and not (folder / "out.part").exists()


def test_a_real_process_ends_with_status_2_and_no_traceback(world, tmp_path):
    bad = put(tmp_path / "x.fa", ">a\nACGT\n>a\nACGT\n")
    args = ["corpus", "build", "--dna", str(bad), "--output", str(tmp_path / "out")]
    done = subprocess.run([sys.executable, "-m", "dnahlm", *args], capture_output=True, text=True)
    assert done.returncode == 2 and not done.stdout
    assert re.fullmatch(r"error: \S+x\.fa:3: record id 'a' was already used on line 1\. .*\n", done.stderr)


def test_a_reader_of_the_output_that_has_gone_is_no_crash():
    process = subprocess.Popen(
        [sys.executable, "-m", "dnahlm", "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.close()
    assert process.wait() == 141 and not process.stderr.read()
