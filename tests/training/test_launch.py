"""The scripts as a user launches them: one plain process, and two under accelerate with DeepSpeed ZeRO-2."""

import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CPU = ROOT / "recipes" / "accelerate" / "cpu.yaml"
needs_deepspeed = pytest.mark.skipif(
    importlib.util.find_spec("deepspeed") is None or shutil.which("g++") is None,
    reason="needs the deepspeed extra and a C++ compiler",
)
pytestmark = pytest.mark.slow


ACCELERATE = [sys.executable, "-m", "accelerate.commands.launch", "--config_file"]


def launch(script, arguments, zero=False, expect=0):
    """Run a script plainly, or under accelerate with the launch file `zero` (True: the CPU one)."""
    start = [*ACCELERATE, str(CPU if zero is True else zero)] if zero else [sys.executable]
    command = [*start, str(ROOT / "recipes" / script), *map(str, arguments)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    answer = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=500)
    assert answer.returncode == expect, answer.stdout[-3000:] + answer.stderr[-3000:]
    return answer


def pretrain_arguments(blocks, output, batch):
    return [
        "--blocks",
        blocks,
        "--output_dir",
        output,
        "--hidden_size",
        32,
        "--num_hidden_layers",
        2,
        "--num_attention_heads",
        2,
        "--max_steps",
        4,
        "--per_device_train_batch_size",
        batch,
        "--learning_rate",
        1e-3,
        "--logging_steps",
        1,
        "--precision",
        "fp32",
        "--save_strategy",
        "no",
        "--disable_tqdm",
        "true",
        "--lr_scheduler_type",
        "constant",
        "--dna_token_init",
        "bases",
    ]


def losses(folder):
    rows = [json.loads(line) for line in (folder / "loss.jsonl").read_text().splitlines()]
    return [row["loss"] for row in rows if "loss" in row]


def manifest(folder):
    return json.loads((folder / "manifest.json").read_text())


@pytest.fixture(scope="module")
def plain(blocks, tmp_path_factory):
    """One plain process in fp32: the run every launch must follow."""
    folder = tmp_path_factory.mktemp("one_process") / "plain"
    launch("pretrain.py", pretrain_arguments(blocks, folder, 4))
    return folder


def on_two_cpu_processes(name, folder, **more):
    """A shipped launch file, told to use two CPU processes instead of GPUs."""
    settings = yaml.safe_load((ROOT / "recipes" / "accelerate" / name).read_text())
    path = folder / name
    path.write_text(yaml.safe_dump({**settings, "use_cpu": True, "num_processes": 2, **more}))
    return path


@needs_deepspeed
@pytest.mark.parametrize("name", ["cpu.yaml", "zero1.yaml", "zero2.yaml", "zero3.yaml", "zero3_offload.yaml"])
def test_zero_on_two_processes_follows_the_loss_of_one_plain_process(name, plain, blocks, tmp_path):
    file = on_two_cpu_processes(name, tmp_path)
    launch("pretrain.py", pretrain_arguments(blocks, tmp_path / "zero", 2), zero=file)
    one, two = manifest(plain), manifest(tmp_path / "zero")
    assert (one["processes"], one["zero_stage"]) == (1, None)
    assert (two["processes"], two["zero_stage"]) == (
        2,
        yaml.safe_load(file.read_text())["deepspeed_config"]["zero_stage"],
    )
    assert one["counts"] == two["counts"]
    assert losses(tmp_path / "zero") == pytest.approx(losses(plain), abs=0.01)
    assert two["validation"] == pytest.approx(one["validation"], abs=0.01)


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@needs_deepspeed
@pytest.mark.parametrize("name", ["multi_node.yaml", "hostfile.yaml"])
def test_two_nodes_on_loopback_follow_the_loss_of_one_plain_process(name, plain, blocks, tmp_path):
    here = {"main_process_ip": "127.0.0.1", "main_process_port": free_port()}
    if name == "hostfile.yaml":  # as where ssh is not allowed: started on each machine
        (tmp_path / "hostfile").write_text("127.0.0.1 slots=1\nlocalhost slots=1\n")
        engine = {"deepspeed_multinode_launcher": "nossh", "deepspeed_hostfile": str(tmp_path / "hostfile")}
        settings = yaml.safe_load((ROOT / "recipes" / "accelerate" / name).read_text())
        here["deepspeed_config"] = {**settings["deepspeed_config"], **engine}
    file = on_two_cpu_processes(name, tmp_path, **here)
    script = [str(ROOT / "recipes" / "pretrain.py"), *map(str, pretrain_arguments(blocks, tmp_path / "nodes", 2))]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # accelerate calls `deepspeed` by its name
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "PATH": path}
    nodes = [
        subprocess.Popen(
            [*ACCELERATE, str(file), "--machine_rank", str(rank), *script],
            env=environment,
            cwd=tmp_path,  # accelerate writes the environment for a hostfile's machines to .deepspeed_env there
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank in (0, 1)
    ]
    said = [node.communicate(timeout=500)[0] for node in nodes]
    assert [node.returncode for node in nodes] == [0, 0], "\n".join(text[-3000:] for text in said)
    assert manifest(tmp_path / "nodes")["processes"] == 2
    assert losses(tmp_path / "nodes") == pytest.approx(losses(plain), abs=0.01)


def test_two_plain_cpu_processes_start_without_deepspeed_or_mpi_and_follow_the_loss_of_one(plain, blocks, tmp_path):
    file = ROOT / "recipes" / "accelerate" / "two_cpus.yaml"
    launch("pretrain.py", pretrain_arguments(blocks, tmp_path / "two", 2), zero=file)
    made = manifest(tmp_path / "two")
    assert (made["processes"], made["zero_stage"]) == (2, None)
    assert losses(tmp_path / "two") == pytest.approx(losses(plain), abs=1e-5)


@needs_deepspeed
def test_four_cpu_processes_follow_the_loss_of_one_plain_process(plain, blocks, tmp_path):
    file = on_two_cpu_processes("cpu.yaml", tmp_path, num_processes=4)
    launch("pretrain.py", pretrain_arguments(blocks, tmp_path / "four", 1), zero=file)
    assert manifest(tmp_path / "four")["processes"] == 4
    assert losses(tmp_path / "four") == pytest.approx(losses(plain), abs=0.01)


def test_a_machine_whose_partner_never_comes_stops_and_says_how_many_joined(blocks, tmp_path):
    file = on_two_cpu_processes("multi_node.yaml", tmp_path, main_process_port=free_port())
    arguments = map(str, pretrain_arguments(blocks, tmp_path / "alone", 2))
    command = [*ACCELERATE, str(file), "--machine_rank", "0", "--rdzv_conf", "timeout=5"]
    answer = subprocess.run(
        [*command, str(ROOT / "recipes" / "pretrain.py"), *arguments], capture_output=True, text=True, timeout=200
    )
    assert answer.returncode != 0 and "1/2 clients joined" in answer.stderr
    assert not list(tmp_path.glob("alone*"))


@needs_deepspeed
def test_sft_under_zero2_writes_a_checkpoint_that_answers(blocks, instructions, tmp_path):
    from dnahlm.inference.load import load

    launch(
        "pretrain.py",
        [
            "--blocks",
            blocks,
            "--output_dir",
            tmp_path / "start",
            "--hidden_size",
            32,
            "--num_hidden_layers",
            1,
            "--num_attention_heads",
            2,
            "--max_steps",
            1,
            "--disable_tqdm",
            "true",
        ],
    )
    folder = tmp_path / "start"
    config = json.loads((folder / "config.json").read_text())
    assert config["n_positions"] == 64
    answer = launch(
        "sft.py",
        ["--model_name_or_path", folder, "--instructions", instructions, "--output_dir", tmp_path / "sft"],
        expect=2,
    )
    assert "the model sees 64" in answer.stderr and "Traceback" not in answer.stderr and not (tmp_path / "sft").exists()
    launch("sft.py", sft_arguments(instructions, wide_checkpoint(folder, tmp_path), tmp_path / "sft"), zero=True)
    made = manifest(tmp_path / "sft")
    assert (made["processes"], made["zero_stage"]) == (2, 2)
    assert set(load(tmp_path / "sft").calibration) == {"strength"}


def test_two_processes_tune_with_every_lever_as_one_does(tokenizer_folder, instructions, tmp_path):
    start = wide_checkpoint(tokenizer_folder, tmp_path)
    looks = ["--eval_strategy", "steps", "--eval_steps", 2, "--dev_rows", 6, "--load_best_model_at_end", "true"]
    saves = ["--save_strategy", "steps", "--save_steps", 2, "--save_total_limit", 1, "--precision", "fp32"]
    levers = ["--redraw", "phrasings", "strands", "--muon", "true", *looks, *saves]
    made = {}
    for name, batch, zero in (("one", 4, False), ("two", 2, ROOT / "recipes" / "accelerate" / "two_cpus.yaml")):
        arguments = sft_arguments(instructions, start, tmp_path / name)
        launch("sft.py", [*arguments, *levers, "--per_device_train_batch_size", batch], zero=zero)
        made[name] = manifest(tmp_path / name)
    assert (made["one"]["processes"], made["two"]["processes"]) == (1, 2)
    assert losses(tmp_path / "two") == pytest.approx(losses(tmp_path / "one"), abs=1e-4)
    assert made["two"]["validation_mcc"] == made["one"]["validation_mcc"]
    assert made["two"]["kept"]["step"] == made["one"]["kept"]["step"]


def wide_checkpoint(folder, tmp_path):
    """The same tokenizer with a model whose context holds a question."""
    from transformers import AutoTokenizer, GPT2Config, GPT2LMHeadModel

    tokenizer = AutoTokenizer.from_pretrained(folder)
    no_dropout = dict.fromkeys(("resid_pdrop", "embd_pdrop", "attn_pdrop"), 0.0)  # each process draws its own
    shape = {"n_positions": 256, "n_embd": 32, "n_layer": 1, "n_head": 2}
    config = GPT2Config(vocab_size=len(tokenizer), bos_token_id=0, eos_token_id=0, **shape, **no_dropout)
    GPT2LMHeadModel(config).save_pretrained(tmp_path / "wide")
    tokenizer.save_pretrained(tmp_path / "wide")
    return tmp_path / "wide"


def sft_arguments(instructions, checkpoint, output):
    return [
        "--model_name_or_path",
        checkpoint,
        "--instructions",
        instructions,
        "--output_dir",
        output,
        "--max_steps",
        3,
        "--per_device_train_batch_size",
        4,
        "--logging_steps",
        1,
        "--save_strategy",
        "no",
        "--disable_tqdm",
        "true",
    ]


def test_a_killed_run_resumes_from_its_last_complete_checkpoint(blocks, tmp_path):
    import signal
    import time

    from dnahlm.training.checkpoints import last_checkpoint

    settings = [*pretrain_arguments(blocks, tmp_path / "run", 2), "--save_strategy", "steps", "--save_steps", 5]
    settings[settings.index("--max_steps") + 1] = 4000
    command = [sys.executable, str(ROOT / "recipes" / "pretrain.py"), *map(str, settings)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    part = tmp_path / "run.part"
    deadline = time.time() + 120
    while time.time() < deadline and not last_checkpoint(part):
        time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "run").exists()
    answer = launch("pretrain.py", settings, expect=2)
    assert "--resume_from_checkpoint true" in answer.stderr
    step = int(last_checkpoint(part).name.split("-")[1])
    cut_short = part / f"checkpoint-{step + 5}"  # as a kill in the middle of saving leaves one
    cut_short.mkdir(exist_ok=True)
    (cut_short / "model.safetensors").write_bytes(b"half")
    settings[settings.index("--max_steps") + 1] = step + 10
    launch("pretrain.py", [*settings, "--resume_from_checkpoint", "true"])
    assert manifest(tmp_path / "run")["counts"]["steps"] == step + 10


def test_a_damaged_checkpoint_is_one_message(blocks, tmp_path, tokenizer_folder):
    shutil.copytree(tokenizer_folder, tmp_path / "bad")
    (tmp_path / "bad" / "config.json").write_text('{"model_type": "gpt2"}')
    (tmp_path / "bad" / "model.safetensors").write_bytes(b"not weights")
    answer = launch(
        "pretrain.py",
        ["--blocks", blocks, "--output_dir", tmp_path / "out", "--model_name_or_path", tmp_path / "bad"],
        expect=2,
    )
    assert "cannot be loaded" in answer.stderr and "Traceback" not in answer.stderr
