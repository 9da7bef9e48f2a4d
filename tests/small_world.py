"""One small folder of everything a command may be given: raw files, a corpus, a tokenizer, instructions, a task."""

import random
import shutil

from tuned_folder import PROMOTER, task_yaml

DNA = "ACGTTGCAAC" * 5
WORDS = [
    "the",
    "gene",
    "is",
    "read",
    "from",
    "left",
    "to",
    "right",
    "and",
    "the",
    "model",
    "answers",
    "with",
    "one",
    "word",
]


def write_world(root, tokenizer, tuned_folder):
    """Write raw files into `root` and run the stages before training on them."""
    from dnahlm.corpus.build import CorpusConfig
    from dnahlm.corpus.build import run as build
    from dnahlm.tasks.instructions import InstructionsConfig
    from dnahlm.tasks.instructions import run as instruct

    rng = random.Random(0)
    (root / "genome.fa").write_text("".join(f">r{i}\n{''.join(rng.choices('ACGT', k=4000))}\n" for i in range(6)))
    (root / "english.txt").write_text("\n\n".join(" ".join(rng.choices(WORDS, k=60)) for _ in range(100)))
    tokenizer.save_pretrained(root / "tokenizer")
    shutil.copytree(tuned_folder, root / "sft")
    (root / "a").mkdir()
    for split, n in (("train", 60), ("dev", 20), ("test", 20)):
        rows = [f"{''.join(rng.choices('ACGT', k=50))},{i % 2}\n" for i in range(n)]
        (root / f"a/{split}.csv").write_text("sequence,label\n" + "".join(rows))
    (root / "task.yaml").write_text(task_yaml("core_promoter", {"0": "non-promoter", "1": "promoter"}, PROMOTER))
    (root / "ok.fa").write_text(f">a\n{DNA}\n")
    data = {"data_root": str(root), "dna": ["genome.fa"], "text": ["english.txt"], "validation_share": 0.2}
    build(CorpusConfig(output=str(root / "corpus"), **data))
    instruct(
        InstructionsConfig(tasks=[str(root / "task.yaml")], data_root=str(root), output=str(root / "instructions"))
    )
    return root


def stages(world):
    """Command line, without output, of every stage that writes."""
    return {
        "simulate": ["simulate", "--scale", "0.02"],
        "corpus": ["corpus", "build", "--dna", f"{world}/genome.fa", "--text", f"{world}/english.txt"],
        "tokenizer": ["tokenizer", "train", "--corpus", f"{world}/corpus", "--vocab_size", "300"],
        "pack": [
            "corpus",
            "pack",
            "--corpus",
            f"{world}/corpus",
            "--tokenizer",
            f"{world}/tokenizer",
            "--block_size",
            "32",
        ],
        "instructions": ["instructions", "build", "--tasks", f"{world}/task.yaml", "--data_root", str(world)],
        "predict": ["predict", "--model", f"{world}/sft", "--task", "core_promoter", "--input", f"{world}/ok.fa"],
        "evaluate": ["evaluate", "--model", f"{world}/sft", "--instructions", f"{world}/instructions"],
    }


def snapshot(folder):
    """Every file below a folder and its bytes."""
    return {str(p.relative_to(folder)): p.read_bytes() if p.is_file() else None for p in sorted(folder.rglob("*"))}


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
