import random

import pytest

WORDS = ["is", "this", "a", "promoter", "or", "not", "answer", "donor", "acceptor", "gene", "Constitution", "naïve"]


@pytest.fixture(scope="session")
def mixed_texts():
    """200 kB of made-up prose and DNA with uneven composition."""
    rng = random.Random(4)
    dna = ["".join(rng.choices("ACGT", weights=[4, 1, 1, 4], k=400)) for _ in range(200)]
    prose = [" ".join(rng.choices(WORDS, k=60)).capitalize() + "." for _ in range(200)]
    return [text for pair in zip(dna, prose, strict=True) for text in pair]


@pytest.fixture(scope="session")
def tokenizer(mixed_texts):
    from dnahlm.tokenizer.bpe import train_bpe

    return train_bpe(mixed_texts, vocab_size=700, min_dna_run=8, max_dna_token=5)


@pytest.fixture(scope="session")
def tokenizer_folder(tokenizer, tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved") / "tokenizer"
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def make_corpus(tmp_path_factory, mixed_texts):
    """Build a corpus with `corpus build` from DNA, from English, or from both."""
    from dnahlm.corpus.build import CorpusConfig, run

    root = tmp_path_factory.mktemp("raw")
    (root / "genome.fa").write_text("".join(f">r{i}\n{s}\n" for i, s in enumerate(mixed_texts[::2])))
    (root / "english.txt").write_text("\n\n".join(mixed_texts[1::2]), encoding="utf-8")

    def build(**sources):
        folder = root / "_".join(sources)
        if not folder.exists():
            run(CorpusConfig(str(folder), data_root=str(root), min_piece=100, validation_share=0.1, **sources))
        return folder

    return build
