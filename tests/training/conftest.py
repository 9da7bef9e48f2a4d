"""A folder of packed blocks and a folder of instructions, written by the real stages from a handful of sequences."""

import json
import random
import shutil

import pytest
from small_world import WORDS

BLOCK = 64


def make_dna(rng, n):
    return "".join(rng.choices("ACGT", weights=[4, 1, 1, 4], k=n))


@pytest.fixture(scope="session")
def tokenizer_folder(tiny_tokenizer, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tok") / "tokenizer"
    tiny_tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def corpus(tmp_path_factory):
    """A mixed corpus built by `corpus build` from one FASTA file and one text file."""
    from dnahlm.corpus.build import CorpusConfig, run

    root = tmp_path_factory.mktemp("raw")
    rng = random.Random(1)
    (root / "genome.fa").write_text("".join(f">r{i}\n{make_dna(rng, 6000)}\n" for i in range(6)))
    (root / "english.txt").write_text("\n\n".join(" ".join(rng.choices(WORDS, k=60)) for _ in range(200)))
    config = CorpusConfig(
        output=str(root / "corpus"), data_root=str(root), dna=["genome.fa"], text=["english.txt"], validation_share=0.2,
        licences={"genome.fa": "CC0-1.0"},
    )  # fmt: skip
    run(config)
    return root / "corpus"


@pytest.fixture(scope="session")
def blocks(corpus, tokenizer_folder, tmp_path_factory):
    from dnahlm.corpus.pack import PackConfig, run

    output = tmp_path_factory.mktemp("packed") / "blocks"
    run(PackConfig(corpus=str(corpus), tokenizer=str(tokenizer_folder), output=str(output), block_size=BLOCK))
    return output


@pytest.fixture(scope="session")
def instructions(tmp_path_factory):
    """A task anyone can learn: is the sequence rich in A and T, or in G and C?"""
    from dnahlm.tasks.instructions import InstructionsConfig, run

    root = tmp_path_factory.mktemp("tables")
    rng = random.Random(2)
    for split, n in (("train", 300), ("dev", 40), ("test", 40)):
        rows = ["sequence,label"]
        for i in range(n):
            weights = [8, 1, 1, 8] if i % 2 else [1, 8, 8, 1]
            rows.append(f"{''.join(rng.choices('ACGT', weights=weights, k=24))},{i % 2}")
        (root / f"{split}.csv").write_text("\n".join(rows) + "\n")
    phrasings = [f"Question {i}: is it weak or strong? Answer {{options}}." for i in range(11)]
    (root / "strength.yaml").write_text(
        json.dumps(
            {
                "id": "strength",
                "version": 1,
                "description": "AT or GC",
                "citation": "made here",
                "licence": "CC0-1.0",
                "source": {
                    "format": "csv",
                    "files": {"train": "train.csv", "validation": "dev.csv", "test": "test.csv"},
                },
                "columns": {"sequence": "sequence", "label": "label"},
                "kind": "classification",
                "labels": {"0": "strong", "1": "weak"},
                "strand_symmetric": True,
                "phrasings": phrasings[:8],
                "held_out_phrasings": phrasings[8:],
                "metrics": ["mcc", "accuracy"],
            }
        )
    )
    run(InstructionsConfig(tasks=[str(root / "strength.yaml")], data_root=str(root), output=str(root / "instructions")))
    return root / "instructions"


@pytest.fixture(scope="module")
def checkpoint(tiny_model, tiny_tokenizer, tmp_path_factory):
    """A folder with the tiny model and its tokenizer."""
    folder = tmp_path_factory.mktemp("start") / "pretrain"
    tiny_model.save_pretrained(folder)
    tiny_tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def few(instructions, tmp_path_factory):
    """The instructions folder with 24 train and 8 validation rows."""
    folder = tmp_path_factory.mktemp("few") / "instructions"
    shutil.copytree(instructions, folder)
    for split, n in (("train", 24), ("validation", 8)):
        lines = (folder / f"{split}.jsonl").read_text().splitlines()[:n]
        (folder / f"{split}.jsonl").write_text("\n".join(lines) + "\n")
    return folder
