import json

import pytest
import torch

from dnahlm.io import InputError
from dnahlm.model.adapters import AdapterArguments
from dnahlm.tasks.instructions import read_instructions
from dnahlm.tasks.prompt import render_prompt
from dnahlm.training.answer_trainer import HeadAtSomePlaces, answer_columns
from dnahlm.training.examples import encode_records
from dnahlm.training.sft import SftArguments, SftDataArguments, run


@pytest.fixture(scope="module")
def checkpoint(tiny_tokenizer, tmp_path_factory):
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(1)
    folder = tmp_path_factory.mktemp("start") / "pretrain"
    config = GPT2Config(
        vocab_size=len(tiny_tokenizer), n_positions=256, n_embd=32, n_layer=2, n_head=2, bos_token_id=0, eos_token_id=0
    )
    GPT2LMHeadModel(config).save_pretrained(folder)
    tiny_tokenizer.save_pretrained(folder)
    return folder


def arguments(output, **more):
    settings = {
        "max_steps": 4,
        "per_device_train_batch_size": 8,
        "learning_rate": 3e-3,
        "logging_steps": 2,
        "disable_tqdm": True,
        "precision": "fp32",
        "save_strategy": "no",
        "use_cpu": True,
        "activation_checkpointing": False,
        **more,
    }
    return SftArguments(output_dir=str(output), **settings)


def tune(checkpoint, instructions, output, adapter=None, **more):
    data = SftDataArguments(model_name_or_path=str(checkpoint), instructions=str(instructions))
    return run(data, adapter or AdapterArguments(), arguments(output, **more))


def test_only_the_answer_and_its_end_are_targets(tiny_tokenizer, instructions):
    records = read_instructions(instructions / "train.jsonl")[:20]
    rows = encode_records(tiny_tokenizer, records, 256, instructions / "train.jsonl")
    for record, row in zip(records, rows, strict=True):
        targets = [i for i in row["labels"] if i != -100]
        assert tiny_tokenizer.decode(targets) == record["output"] + tiny_tokenizer.eos_token
        assert tiny_tokenizer.pad_token_id not in targets


def test_the_bytes_tuned_on_are_those_of_apply_chat_template(tiny_tokenizer, instructions):
    record = read_instructions(instructions / "train.jsonl")[0]
    (row,) = encode_records(tiny_tokenizer, [record], 256, instructions / "train.jsonl")
    messages = [
        {"role": "user", "content": f"{record['instruction']}\n\n{record['input']}"},
        {"role": "assistant", "content": record["output"]},
    ]
    assert tiny_tokenizer.apply_chat_template(messages)["input_ids"] == row["input_ids"]
    assert tiny_tokenizer.decode(row["input_ids"]).startswith(
        render_prompt(tiny_tokenizer, record["instruction"], record["input"])
    )


def test_an_example_longer_than_the_context_is_refused_not_cut(tiny_tokenizer, instructions):
    records = read_instructions(instructions / "train.jsonl")
    with pytest.raises(InputError, match=r"train\.jsonl:1: record .* 24 bases = \d+ tokens"):
        encode_records(tiny_tokenizer, records, 16, instructions / "train.jsonl")


def test_the_tuned_folder_loads_with_auto_classes_and_knows_its_tasks(checkpoint, instructions, tmp_path):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tune(checkpoint, instructions, tmp_path / "sft")
    model, tokenizer = (kind.from_pretrained(tmp_path / "sft") for kind in (AutoModelForCausalLM, AutoTokenizer))
    assert model.generation_config.eos_token_id == tokenizer.eos_token_id
    facts = json.loads((tmp_path / "sft" / "tasks.json").read_text())["strength"]
    assert facts["min_bases"] == facts["max_bases"] == 24 and facts["n_train"] > 200
    assert (tmp_path / "sft" / "tasks" / "strength.yaml").is_file() and (tmp_path / "sft" / "loss.jsonl").is_file()
    assert not list((tmp_path / "sft").glob("*.bin")), "no pickles"


def test_a_lora_adapter_trains_and_merges_to_the_same_answers(checkpoint, instructions, tmp_path):
    from peft import AutoPeftModelForCausalLM

    from dnahlm.model.adapters import merge

    tune(checkpoint, instructions, tmp_path / "lora", AdapterArguments(use_peft=True, lora_r=4, lora_alpha=8))
    assert (tmp_path / "lora" / "adapter_config.json").is_file()
    model = AutoPeftModelForCausalLM.from_pretrained(tmp_path / "lora").eval()
    ids = torch.arange(10, 40)[None]
    with torch.no_grad():
        before = model(ids).logits
        after = merge(model)(ids).logits
    assert torch.allclose(before, after, atol=1e-5)


def test_a_checkpoint_with_fewer_rows_than_the_tokenizer_is_refused(checkpoint, instructions, tmp_path):
    import shutil

    from dnahlm.tokenizer.bpe import train_bpe

    shutil.copytree(checkpoint, tmp_path / "mixed")
    words = " ".join(f"word{i:04d}" for i in range(3000))
    train_bpe([words, "ACGTACGTAA" * 20], vocab_size=900, min_dna_run=8, max_dna_token=4).save_pretrained(
        tmp_path / "mixed"
    )
    with pytest.raises(InputError, match="embedding rows"):
        tune(tmp_path / "mixed", instructions, tmp_path / "out")


@pytest.mark.slow
def test_a_tuned_model_writes_exactly_one_of_the_labels_and_stops(checkpoint, instructions, tmp_path):
    from dnahlm.inference.generator import generate
    from dnahlm.inference.load import load

    tune(checkpoint, instructions, tmp_path / "sft", max_steps=120, per_device_train_batch_size=16, warmup_steps=10)
    loaded = load(tmp_path / "sft")
    records = read_instructions(instructions / "test.jsonl")
    prompts = [render_prompt(loaded.tokenizer, r["instruction"], r["input"]) for r in records]
    answers = generate(loaded.model, loaded.tokenizer, prompts, max_new_tokens=12)
    assert all(answer.stopped for answer in answers)
    assert {answer.text for answer in answers} <= {"strong", "weak"}


def test_the_loss_is_that_of_the_whole_vocabulary_projection(tiny_model):
    labels = torch.full((3, 12), -100)
    labels[0, 8:10], labels[1, 10:12], labels[2, 9] = torch.tensor([5, 6]), torch.tensor([7, 8]), 9
    ids = torch.arange(36).view(3, 12) + 20
    columns, targets = answer_columns(labels)
    with torch.no_grad():
        short = tiny_model(ids, logits_to_keep=columns).logits
        whole = tiny_model(ids, labels=labels)
    loss = torch.nn.functional.cross_entropy(short.flatten(0, 1), targets.flatten(), ignore_index=-100)
    assert loss.item() == pytest.approx(whole.loss.item(), abs=1e-5)


def test_only_the_chosen_places_are_projected_to_the_vocabulary(tiny_model):
    import copy

    model = copy.deepcopy(tiny_model)
    ids = torch.randint(0, 90, (3, 12), generator=torch.Generator().manual_seed(2))
    places = torch.rand(3, 12, generator=torch.Generator().manual_seed(3)) < 0.3
    whole = model(input_ids=ids).logits
    head = HeadAtSomePlaces(model)
    head.places = places
    chosen = model(input_ids=ids).logits
    assert chosen.shape == (1, int(places.sum()), whole.shape[-1])
    assert torch.allclose(chosen[0], whole[places], atol=1e-6)
    head.places = None
    assert torch.equal(model(input_ids=ids).logits, whole)


def test_the_manifest_names_the_chat_template_that_was_saved(checkpoint, instructions, tmp_path):
    from dnahlm.tokenizer.load import load_tokenizer, template_fingerprint

    manifest = tune(checkpoint, instructions, tmp_path / "sft", max_steps=1)
    assert manifest["chat_template_sha256"] == template_fingerprint(load_tokenizer(tmp_path / "sft"))
