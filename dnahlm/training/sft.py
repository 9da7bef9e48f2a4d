"""Supervised fine-tuning with trl: instructions -> a checkpoint that answers with a label and stops."""

import json
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from datasets import Dataset
from peft import PeftModel
from transformers import PreTrainedModel, PreTrainedTokenizerFast
from transformers.integrations.deepspeed import unset_hf_deepspeed_config
from trl import SFTConfig

from dnahlm.io import InputError
from dnahlm.manifest import StageClock, read_manifest, write_manifest
from dnahlm.model.adapters import AdapterArguments, lora_config, quantization
from dnahlm.model.create import check_attention, context_of, set_special_ids
from dnahlm.model.load import check_rows, load_checkpoint
from dnahlm.tasks.instructions import read_instructions
from dnahlm.tasks.kinds import bases_in
from dnahlm.tasks.prompt import encode, render_prompts
from dnahlm.tokenizer.dropout import DnaDropout
from dnahlm.tokenizer.load import fingerprint, load_tokenizer, template_fingerprint
from dnahlm.training.answer_trainer import AnswerTrainer
from dnahlm.training.arguments import MachineArguments, changed_settings, how, staged_training, weight_hashes
from dnahlm.training.callbacks import LossLog
from dnahlm.training.card import write_card
from dnahlm.training.curve import LossCurve
from dnahlm.training.dropout import IGNORE_INDEX, ROW, UNITS
from dnahlm.training.forgetting import Forgetting, forgetting_table, held_out_english, why_none, window_of
from dnahlm.training.muon import optimizer_for
from dnahlm.training.pretrain import zero_stage


@dataclass
class SftDataArguments:
    """What is fine-tuned, and on what."""

    model_name_or_path: str = field(metadata={"help": "checkpoint to tune: a folder with its tokenizer, or a hub name"})
    instructions: str = field(metadata={"help": "folder written by `dnahlm instructions build`"})
    attn_implementation: str = field(
        default="sdpa", metadata={"help": "sdpa, eager or flash_attention_2; eager trains faster in bf16 on a CPU"}
    )
    bpe_dropout: float = field(
        default=0.0,
        metadata={"help": "probability to leave out a merge in the DNA of training rows, cut anew each epoch; 0 = off; "
                  "always off at evaluation and in what is saved"},
    )  # fmt: skip
    english: str | None = field(
        default=None,
        metadata={"help": "corpus whose held-out English shows what tuning costs; empty = the one of pretraining, if "
                  "it is still there"},
    )  # fmt: skip
    overwrite: bool = field(default=False, metadata={"help": "replace output_dir once the new run is complete"})


@dataclass
class SftArguments(MachineArguments, SFTConfig):
    """trl's SFT arguments, the precision by machine, and Muon."""


def run(
    data: SftDataArguments,
    adapter: AdapterArguments,
    args: SftArguments,
    finish: Callable[[Path], dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """instructions/ + checkpoint -> output_dir/: checkpoint (or adapter), tokenizer, tasks, loss.jsonl, manifest.

    Args:
        data: the checkpoint and the instructions.
        adapter: LoRA or full tuning.
        args: trl's settings; `output_dir` is where the result goes.
        finish: called with the complete, not yet renamed folder on the main process (calibration); what it returns
            goes into the manifest.

    Raises:
        InputError: an example longer than the context, a tokenizer that is not the checkpoint's, output taken.
    """
    clock = StageClock()
    built = read_manifest(data.instructions, "instructions build")
    if not (Path(data.instructions) / "tasks").is_dir():
        raise InputError(f"{data.instructions}: has no tasks/ folder. Run `dnahlm instructions build` again.")
    tokenizer = load_tokenizer(data.model_name_or_path)
    check_attention(data.attn_implementation)
    quantized = quantization(adapter, args.bf16)
    model = load_checkpoint(data.model_name_or_path, data.attn_implementation, quantized)
    check_rows(model, tokenizer, data.model_name_or_path)
    set_special_ids(model, tokenizer)
    args.max_length = min(args.max_length or context_of(model), context_of(model))
    english = held_out_english(data.model_name_or_path, data.english)
    forgetting = Forgetting(english, tokenizer, window_of(model))
    forgetting.measure(model, "before_training")
    dropout = DnaDropout(tokenizer, data.bpe_dropout) if data.bpe_dropout else None
    datasets, records = {}, {}
    for split in ("train", "validation"):
        path = Path(data.instructions) / f"{split}.jsonl"
        records[split] = read_instructions(path)
        datasets[split] = encode_records(tokenizer, records[split], args.max_length, path)
    if dropout:
        datasets["train"] = with_dna_units(datasets["train"], tokenizer, records["train"], dropout)
    per_step = args.train_batch_size * args.gradient_accumulation_steps * args.world_size
    curve = LossCurve(per_step, "examples")
    with staged_training(args, data.overwrite, [data.model_name_or_path, data.instructions]) as part:
        trainer = AnswerTrainer(
            model=model,
            args=args,
            processing_class=tokenizer,
            train_dataset=datasets["train"],
            eval_dataset=datasets["validation"],
            peft_config=lora_config(adapter, model, tokenizer),
            callbacks=[LossLog(), curve],
            optimizer_cls_and_kwargs=optimizer_for(args, args.muon),
        )
        if dropout:
            trainer.cut_dna_anew(dropout)
        result = trainer.train(resume_from_checkpoint=args.resume_from_checkpoint)
        validation = trainer.evaluate()
        forgetting.measure(trainer.model, "after_training", gather=False)
        save(trainer.model, trainer, part)
        manifest: dict[str, Any] = {}
        if trainer.is_world_process_zero():
            curve.draw(part, trainer.state.log_history)
            write_tasks(Path(data.instructions), records["train"], part)
            unset_hf_deepspeed_config()  # else ZeRO-3 would part what this process alone opens
            facts = finish(part) if finish else {}
            manifest = write_manifest(
                part,
                "sft",
                {"seed": args.seed, **vars(data), **vars(adapter), "training": changed_settings(args)},
                clock,
                {"checkpoint": data.model_name_or_path, "instructions": data.instructions},
                {
                    "steps": result.global_step,
                    "examples": len(records["train"]),
                    "epochs": result.metrics.get("epoch"),
                    "parameters": trainer.model.num_parameters(),
                    "trained_parameters": trainer.model.num_parameters(only_trainable=True),
                },
                tokenizer_sha256=fingerprint(tokenizer),
                chat_template_sha256=template_fingerprint(tokenizer),
                processes=args.world_size,
                zero_stage=zero_stage(trainer),
                precision="bf16" if args.bf16 else "fp32",
                validation_loss=validation["eval_loss"],
                forgetting=forgetting.figures,
                weights=weight_hashes(part),
                tasks=built["tasks"],
                **facts,
            )
            write_card(part, manifest)  # in the place of trl's, which describes a chat model
            print(summary(manifest))
    trainer.accelerator.wait_for_everyone()
    trainer.accelerator.end_training()  # takes the process group down in order; at exit it may abort
    return manifest


def encode_records(
    tokenizer: PreTrainedTokenizerFast, records: list[dict[str, Any]], max_length: int, path: Path
) -> Dataset:
    """Token ids and labels of instruction records; only the answer and its EOS are targets.

    Returns:
        N rows of `input_ids` and `labels`, both of length T_i <= max_length tokens, with -100 on the prompt.

    Raises:
        InputError: a record longer than `max_length`; nothing is cut.
    """
    prompts = render_prompts(tokenizer, [r["instruction"] for r in records], [r["input"] for r in records])
    prompt_ids, answer_ids = encode(tokenizer, prompts, [r["output"] for r in records])
    for line, (record, prompt, answer) in enumerate(zip(records, prompt_ids, answer_ids, strict=True), 1):
        if len(prompt) + len(answer) > max_length:
            raise InputError(
                f"{path}:{line}: record {record['id']!r} has {bases_in(record['input'])} bases = "
                f"{len(prompt) + len(answer)} tokens with its question and answer; the model sees "
                f"{max_length}. Set a window in the task file (policy: center), or pretrain with longer blocks."
            )
    return Dataset.from_dict(
        {
            "input_ids": [p + a for p, a in zip(prompt_ids, answer_ids, strict=True)],
            "labels": [[IGNORE_INDEX] * len(p) + a for p, a in zip(prompt_ids, answer_ids, strict=True)],
        }
    )


def with_dna_units(
    dataset: Dataset, tokenizer: PreTrainedTokenizerFast, records: list[dict[str, Any]], dropout: DnaDropout
) -> Dataset:
    """The rows of `encode_records` with what BPE-dropout needs: their number, and where DNA stands in their prompts."""
    prompts = render_prompts(tokenizer, [r["instruction"] for r in records], [r["input"] for r in records])
    units = [[place for unit in found for place in unit] for found in dropout.units(prompts)]
    return dataset.add_column(ROW, list(range(len(records)))).add_column(UNITS, units)


def save(model: PreTrainedModel | PeftModel, trainer: AnswerTrainer, part: Path) -> None:
    """Write the weights; the cache that training switches off is on again in what is saved."""
    model.config.use_cache = True
    trainer.save_model(str(part))


def write_tasks(instructions: Path, train: list[dict[str, Any]], part: Path) -> None:
    """Copy the task files beside the weights, with what the model saw of each: rows and lengths in bases."""
    shutil.copytree(instructions / "tasks", part / "tasks")
    rows = Counter(record["task"] for record in train)
    facts = {}
    for task in sorted(rows):
        lengths = [bases_in(record["input"]) for record in train if record["task"] == task]
        facts[task] = {"n_train": rows[task], "min_bases": min(lengths), "max_bases": max(lengths)}
    (part / "tasks.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


def summary(manifest: dict[str, Any]) -> str:
    """One line of facts for the terminal."""
    counts = manifest["counts"]
    return (
        f"tuned {counts['parameters'] / 1e6:.2f} M parameters on {counts['examples']:,} instructions in "
        f"{counts['steps']:,} steps, {counts['epochs']:.1f} epochs ({how(manifest)}); "
        f"validation loss {manifest['validation_loss']:.3f} nats per answer token\n"
        + (forgetting_table(manifest["forgetting"]) or why_none(manifest["inputs"]["checkpoint"]["path"]))
    )
