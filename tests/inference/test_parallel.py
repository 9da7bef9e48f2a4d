"""Two processes under `accelerate launch` give, byte for byte, what one gives."""

import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dnahlm.inference.parallel import alone, is_main, merged, share

ROOT = Path(__file__).parents[2]
LAUNCH = ["-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", "--num_machines", "1",
          "--mixed_precision", "no", "--dynamo_backend", "no"]  # fmt: skip
CODE = """
import json, sys
import numpy as np
from dnahlm.inference.generator import generate
from dnahlm.inference.load import load
from dnahlm.inference.parallel import alone, group, is_main
from dnahlm.inference.scorer import score
loaded = load(sys.argv[1])
prompts = [f"Is it?\\n\\n{'ACGT' * n}\\n\\n### Response:\\n" for n in (3, 40, 9, 9, 22, 5, 17)]
scores = score(loaded.model, loaded.tokenizer, prompts, ["promoter", "neither"], batch_tokens=120)
texts = [g.text for g in generate(loaded.model, loaded.tokenizer, prompts, 6, batch_size=2)]
held = [g.text for g in generate(loaded.model, loaded.tokenizer, prompts, 6, batch_size=2, options=["donor", "pro"])]
size = group().num_processes if group() else 1
with alone():
    once = score(loaded.model, loaded.tokenizer, prompts[:1] if is_main() else [], ["promoter"]).tolist()
if is_main():
    json.dump([size, scores.tolist(), texts, held, once], open(sys.argv[2], "w"))
"""


def start(command, launch):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(ROOT)}
    answer = subprocess.run([sys.executable, *(LAUNCH if launch else []), *command], env=environment, text=True,
                            capture_output=True, timeout=300)  # fmt: skip
    assert answer.returncode == 0, answer.stdout[-2000:] + answer.stderr[-4000:]
    return answer.stdout


@pytest.mark.slow
def test_two_processes_score_and_generate_what_one_does(tuned_folder, tmp_path):
    import json

    (tmp_path / "ask.py").write_text(CODE)
    for name, launch in (("one", False), ("two", True)):
        start([str(tmp_path / "ask.py"), str(tuned_folder), str(tmp_path / name)], launch)
    one, two = (json.loads((tmp_path / name).read_text()) for name in ("one", "two"))
    assert (one[0], two[0]) == (1, 2) and one[1:] == two[1:]


@pytest.mark.slow
def test_predict_on_two_processes_writes_the_same_file_once(tuned_folder, tmp_path):
    rng = random.Random(0)
    (tmp_path / "x.fa").write_text(
        "".join(f">s{i}\n{''.join(rng.choices('ACGT', k=30 + i % 50))}\n" for i in range(60))
    )
    ask = ["predict", "--model", tuned_folder, "--task", "core_promoter", "--input", tmp_path / "x.fa",
           "--batch_tokens", 600, "--output"]  # fmt: skip
    start(["-m", "dnahlm", *map(str, ask), str(tmp_path / "one.csv")], launch=False)
    said = start(["-m", "dnahlm", *map(str, ask), str(tmp_path / "two.csv")], launch=True)
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()
    assert said.count("answered 60 sequences") == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["one.csv", "two.csv", "x.fa"]


@pytest.mark.slow
def test_evaluate_on_two_processes_writes_the_same_figures_once(world, tmp_path):
    import json

    (tmp_path / "suite.yaml").write_text(
        "name: s\ndescription: d\nmax_rows: 8\nbaselines: [majority]\nn_bootstrap: 20\n"
    )
    ask = ["evaluate", "--model", world / "sft", "--instructions", world / "instructions",
           "--suite", tmp_path / "suite.yaml", "--output"]  # fmt: skip
    start(["-m", "dnahlm", *map(str, ask), str(tmp_path / "one")], launch=False)
    said = start(["-m", "dnahlm", *map(str, ask), str(tmp_path / "two")], launch=True)
    one, two = (json.loads((tmp_path / name / "report.json").read_text())["tasks"] for name in ("one", "two"))
    assert one == two and said.count("evaluated 1 tasks") == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["one", "suite.yaml", "two"]


def test_one_process_keeps_everything_to_itself():
    assert share([1, 2, 3]) == [1, 2, 3] and is_main()
    array = np.arange(3)
    assert merged(array) is array
    with alone():
        assert share([1, 2]) == [1, 2]
