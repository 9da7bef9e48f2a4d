"""What the README tells a newcomer to type exists, and its tree is the tree."""

import re
from pathlib import Path

import pytest

from dnahlm.cli import COMMANDS

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "data_templates/README.md")]
FENCED = re.compile(r"^```\w*\n(.*?)^```", re.DOTALL | re.MULTILINE)
BLOCKS = [block for page in PAGES for block in FENCED.findall(page.read_text())]


def test_every_dnahlm_command_in_the_pages_exists():
    text = "\n".join(page.read_text() for page in PAGES)
    for words in re.findall(
        r"`?dnahlm ((?:[a-z]+ ?)+)", "\n".join(re.findall(r"`dnahlm [^`]+`|^dnahlm .*$", text, re.MULTILINE))
    ):
        parts = words.split()
        assert " ".join(parts[:2]) in COMMANDS or parts[0] in COMMANDS, words


def test_every_make_target_in_the_pages_exists():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    used = {name for page in PAGES for name in re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text(), re.MULTILINE)}
    assert used and used <= targets


def test_every_option_of_a_predict_or_chat_line_is_one_the_command_has():
    import dataclasses
    import importlib

    for block in BLOCKS:
        for line in re.findall(r"^dnahlm (predict|chat) (.*)$", block, re.MULTILINE):
            module, name, _ = COMMANDS[line[0]]
            fields = {field.name for field in dataclasses.fields(getattr(importlib.import_module(module), name))}
            assert set(re.findall(r"--(\w+)", line[1])) <= fields


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_file_a_page_links_or_names_is_there(page):
    text = page.read_text()
    named = re.findall(r"\]\(([^)#:]+)\)", text)
    named += re.findall(r"\b((?:recipes|eval|tests|data_templates)/[\w/.-]+\.(?:py|yaml|sh|jinja|json))\b", text)
    for name in named:
        assert (page.parent / name).exists() or (ROOT / name).exists(), f"{page.name} names {name}"


def test_the_tree_in_the_readme_is_the_tree():
    block = next(block for block in BLOCKS if block.startswith("dnahlm/\n"))
    folders = {line.split()[0].rstrip("/") for line in block.splitlines() if re.match(r"  [a-z]+/ ", line)}
    assert folders == {path.parent.name for path in (ROOT / "dnahlm").glob("*/__init__.py")}
    ground = next(line for line in block.splitlines() if "config.py" in line)
    for name in re.findall(r"\w+\.py", ground):
        assert (ROOT / "dnahlm" / name).is_file()


def test_no_figure_is_left_to_fill_in():
    assert "@@" not in (ROOT / "README.md").read_text()
