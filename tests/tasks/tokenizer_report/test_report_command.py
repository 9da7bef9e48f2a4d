"""`dnahlm tokenizer report` from the command line: whole reports, and what it refuses."""

import json
import re

import pytest
import tokenizer_kinds as kinds
from small_world import snapshot

from dnahlm.cli import main


@pytest.fixture(scope="module")
def others(tmp_path_factory):
    root = tmp_path_factory.mktemp("others")
    kinds.three_mers().save_pretrained(root / "k" / "tokenizer")
    kinds.unisolated(["### Input:\nACGTACGTAC", "the cat sat"] * 50).save_pretrained(root / "u" / "tokenizer")
    return root


def ask(output, world, *tokenizers):
    """Run the command on all kinds of input and return what report.json holds."""
    genome = output.parent / "masked.fa"
    genome.write_text(">c\n" + "ACGTTGCAGC" * 40 + "ggcatttacg" * 30 + "\n")
    arguments = ["--tokenizers", *tokenizers, "--corpus", world / "corpus", "--input", genome]
    arguments += ["--regions", f"short={world}/ok.fa", "--max_bases", 5000, "--n_fuzz", 1000, "--output", output]
    main(["tokenizer", "report", *map(str, arguments)])
    return json.loads((output / "report.json").read_text())


@pytest.fixture(scope="module")
def report(world, others, tmp_path_factory):
    output = tmp_path_factory.mktemp("out") / "report"
    ask(output, world, world / "tokenizer", others / "k/tokenizer", others / "u/tokenizer")
    return output


def test_the_report_holds_every_region_tokenizer_and_n(report):
    found = json.loads((report / "report.json").read_text())
    assert [r["name"] for r in found["regions"]] == [
        "repeat (soft-masked)", "not masked", "short", "corpus, held-out DNA",
    ]  # fmt: skip
    assert all(r["n"] and r["bases"] <= 5000 for r in found["regions"])
    ours, three_mers, joined = found["tokenizers"]
    assert three_mers["name"] == "k/tokenizer" and 2.9 < three_mers["dna"]["bytes_per_token"] <= 3
    assert three_mers["english"]["n"] == 0 and three_mers["english"]["refused"] > 0
    assert ours["english"]["bytes_per_token"] > 1 and joined["vocabulary"]["mixed_entries"]
    assert found["gpt2"] is None and "not on this disk" in found["gpt2_missing"]


def test_the_page_needs_no_other_file_and_shows_what_the_markdown_says(report):
    page, text = (report / "report.html").read_text(), (report / "report.md").read_text()
    assert page.count("<svg") == 5 and "<script" not in page
    assert not re.search(r"(?:src|href)=[\"'](?!#)", page) and "@import" not in page
    for name in ("k/tokenizer", "repeat (soft-masked)", "never in step again", "unreachable", "seed"):
        assert name in page and name in text
    assert "prompts cannot be encoded at all" in page
    assert str(report) not in text


def test_the_same_seed_gives_the_same_figures_whatever_stands_beside(world, report, tmp_path):
    together, alone = json.loads((report / "report.json").read_text()), ask(tmp_path / "r", world, world / "tokenizer")
    assert alone["tokenizers"] == [together["tokenizers"][0] | {"name": "tokenizer"}]


def test_gpt2_is_measured_where_its_folder_is_given_and_no_other_is_taken_for_it(world, tmp_path, capsys):
    arguments = ["tokenizer", "report", "--tokenizers", f"{world}/tokenizer", "--output", str(tmp_path / "r")]
    with pytest.raises(SystemExit):
        main([*arguments, "--gpt2", f"{world}/tokenizer"])
    assert "where GPT-2's own tokenizer has 50,257" in capsys.readouterr().err
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--tokenizers", "{world}/corpus"], "not a tokenizer folder"),
        (["--tokenizers", "{world}/none/at/all"], "no such folder"),
        (["--tokenizers", "{world}/tokenizer", "{world}/tokenizer"], "named twice"),
        (["--tokenizers", "{world}/tokenizer", "{world}/tokenizer/"], "named twice"),
        (["--tokenizers", "{world}/tokenizer", "--corpus", "{world}/instructions"], "output of 'instructions build'"),
        (["--tokenizers", "{world}/tokenizer", "--corpus", "{world}/a"], "has no manifest.json"),
        (["--tokenizers", "{world}/tokenizer", "--input", "{tmp}/empty.fa"], "the file is empty"),
        (["--tokenizers", "{world}/tokenizer", "--input", "{world}/english.txt"], "extension '.txt'"),
        (["--tokenizers", "{world}/tokenizer", "--text", "{world}/genome.fa"], "must be a .txt"),
        (["--tokenizers", "{world}/tokenizer", "--tasks", "core_promoter"], "--data_root is needed"),
        (["--tokenizers", "{world}/tokenizer", "--data_root", "{world}/none"], "no such folder"),
        (["--tokenizers", "{world}/tokenizer", "--n_fuzz", "3"], "must be 1000 or more"),
        (["--tokenizers", "{world}/tokenizer", "--input", "{tmp}/short.fa"], "no stretch of 60 known bases"),
    ],
)
def test_bad_input_is_refused_in_one_message_and_nothing_is_written(world, tmp_path, capsys, arguments, said):
    (tmp_path / "empty.fa").touch()
    (tmp_path / "short.fa").write_text(f">a\n{'ACGTA' * 6}\n")
    before = snapshot(tmp_path)
    with pytest.raises(SystemExit) as stop:
        main(
            [
                "tokenizer",
                "report",
                *(a.format(world=world, tmp=tmp_path) for a in arguments),
                "--output",
                f"{tmp_path}/r",
            ]
        )
    error = capsys.readouterr().err
    assert stop.value.code == 2 and said in error and "Traceback" not in error
    assert snapshot(tmp_path) == before
