import random

import pytest

from dnahlm.corpus.build import CorpusConfig, run


@pytest.fixture(scope="session")
def raw(tmp_path_factory):
    """A folder with a genome of eight contigs (masked, with N runs and IUPAC letters), a one-record genome, English, and proteins."""
    root = tmp_path_factory.mktemp("raw")
    rng = random.Random(5)
    contigs = []
    for _ in range(8):
        dna = "".join(rng.choices("ACGTacgt", k=rng.randint(3000, 9000)))
        contigs.append(dna[:1000] + "N" * 50 + dna[1000:2000] + "R" + dna[2000:])
    (root / "genome.fa").write_text("".join(f">chr{i} made up\n{s}\n" for i, s in enumerate(contigs)))
    (root / "single.fa").write_text(">only\n" + "".join(rng.choices("ACGT", k=40_000)) + "\n")
    words = ["the", "cell", "reads", "its", "gene", "and", "a", "model", "answers", "in", "plain", "words"]
    paragraphs = [" ".join(rng.choices(words, k=rng.randint(20, 200))) for _ in range(120)]
    (root / "english.txt").write_text("\n\n".join(paragraphs))
    proteins = ["M" + "".join(rng.choices("ACDEFGHIKLMNPQRSTVWY", k=rng.randint(20, 900))) for _ in range(40)]
    (root / "proteins.faa").write_text("".join(f">p{i} made up\n{s}*\n" for i, s in enumerate(proteins)))
    return root


@pytest.fixture
def build(raw, tmp_path):
    """Run `corpus build` on the folder `raw` with small pieces; returns (folder, manifest)."""

    def with_settings(name="corpus", **settings):
        settings = {"min_piece": 100, "max_piece": 300, "data_root": str(raw), **settings}
        return tmp_path / name, run(CorpusConfig(str(tmp_path / name), **settings))

    return with_settings
