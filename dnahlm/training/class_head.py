"""One classification head per task on a checkpoint, to compare with the one instructed model.

The head reads the sequence alone, without question or template. `dnahlm evaluate` takes its folder beside others.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset
from sklearn.metrics import matthews_corrcoef
from transformers import DataCollatorWithPadding, EvalPrediction, Trainer, TrainingArguments
from transformers.tokenization_utils_base import PreTrainedTokenizerBase

from dnahlm.config import did_you_mean
from dnahlm.dna import reverse_complement
from dnahlm.io import InputError
from dnahlm.manifest import StageClock, read_manifest, write_manifest
from dnahlm.model.create import check_attention, context_of
from dnahlm.model.heads import head_on
from dnahlm.model.load import check_rows
from dnahlm.tasks.instructions import read_instructions
from dnahlm.tasks.kinds import with_dna
from dnahlm.tasks.spec import answers
from dnahlm.tokenizer.load import fingerprint, load_tokenizer
from dnahlm.training.arguments import MachineArguments, changed_settings, how, staged_training, weight_hashes
from dnahlm.training.callbacks import LossLog
from dnahlm.training.divergence import require_sane
from dnahlm.training.lean import few_pass_norms
from dnahlm.training.muon import optimizer_for
from dnahlm.training.task_files import tasks_of, write_tasks


@dataclass
class HeadDataArguments:
    """What the head is trained on."""

    model_name_or_path: str = field(metadata={"help": "checkpoint to start from: a folder with its tokenizer"})
    instructions: str = field(metadata={"help": "folder written by `dnahlm instructions build`"})
    task: str = field(metadata={"help": "id of the task, one of the instructions"})
    strands: bool = field(
        default=False, metadata={"help": "add the other strand of each train row where the task has no direction"}
    )
    attn_implementation: str = field(default="sdpa", metadata={"help": "sdpa, eager or flash_attention_2"})
    overwrite: bool = field(default=False, metadata={"help": "replace output_dir once the new run is complete"})


@dataclass
class HeadArguments(MachineArguments, TrainingArguments):
    """Upstream's training arguments, the precision by machine, and Muon."""

    def __post_init__(self) -> None:
        if self.load_best_model_at_end and self.metric_for_best_model is None:
            self.metric_for_best_model = "mcc"
        super().__post_init__()


class HeadTrainer(Trainer):
    """`Trainer` that stops when its loss becomes nonsense."""

    def training_step(self, *inputs: Any, **more: Any) -> Any:
        """One forward and backward pass; raises `InputError` when the run has diverged."""
        loss = super().training_step(*inputs, **more)
        require_sane(self, loss.item() * self.args.gradient_accumulation_steps)
        return loss


def run(data: HeadDataArguments, args: HeadArguments) -> dict[str, Any]:
    """instructions/ + checkpoint -> output_dir/: a sequence classifier whose outputs are the answers of one task.

    Raises:
        InputError: no such task, answers that are no fixed list, a row longer than the context, output taken.
    """
    clock = StageClock()
    read_manifest(data.instructions, "instructions build")
    specs = tasks_of(Path(data.instructions))
    if data.task not in specs:
        raise InputError(f"task: {data.task!r} is not in {data.instructions}. {did_you_mean(data.task, list(specs))}")
    spec = specs[data.task]
    words = answers(spec)
    tokenizer = load_tokenizer(data.model_name_or_path)
    check_attention(data.attn_implementation)
    model = head_on(data.model_name_or_path, words, tokenizer, data.attn_implementation)
    check_rows(model, tokenizer, data.model_name_or_path)
    folder = Path(data.instructions)
    records = {split: rows_of(folder / f"{split}.jsonl", data.task) for split in ("train", "validation")}
    if data.strands and spec.strand_symmetric:
        records["train"] += [{**r, "input": with_dna(r["input"], reverse_complement)} for r in records["train"]]
    datasets = {split: encode(tokenizer, rows, words, context_of(model)) for split, rows in records.items()}
    few_pass_norms(model)
    with staged_training(args, data.overwrite, [data.model_name_or_path, data.instructions]) as part:
        trainer = HeadTrainer(
            model=model,
            args=args,
            processing_class=tokenizer,
            train_dataset=datasets["train"],
            eval_dataset=datasets["validation"],
            data_collator=DataCollatorWithPadding(tokenizer),
            compute_metrics=mcc_of,
            callbacks=[LossLog()],
            optimizer_cls_and_kwargs=optimizer_for(args, args.muon),
        )
        result = trainer.train(resume_from_checkpoint=args.resume_from_checkpoint)
        figures = trainer.evaluate()
        trainer.save_model(str(part))
        manifest: dict[str, Any] = {}
        if trainer.is_world_process_zero():
            write_tasks(folder, records["train"], part)
            manifest = write_manifest(
                part,
                "class head",
                {"seed": args.seed, **vars(data), "training": changed_settings(args)},
                clock,
                {"checkpoint": data.model_name_or_path, "instructions": data.instructions},
                {"steps": result.global_step, "examples": len(records["train"]), "parameters": model.num_parameters()},
                tokenizer_sha256=fingerprint(tokenizer),
                processes=args.world_size,
                zero_stage=None,
                precision="bf16" if args.bf16 else "fp32",
                validation_mcc=figures["eval_mcc"],
                kept_step=trainer.state.best_global_step or result.global_step,
                weights=weight_hashes(part),
                tasks={spec.id: spec.version},
            )
            print(f"head of {spec.id}: validation MCC {figures['eval_mcc']:.3f} ({how(manifest)})")
    return manifest


def rows_of(path: Path, task: str) -> list[dict[str, Any]]:
    """The records of one task in a JSONL file; raises `InputError` when there is none."""
    found = [record for record in read_instructions(path) if record["task"] == task]
    if not found:
        raise InputError(f"{path}: has no row of task {task}. Run `dnahlm instructions build` with it.")
    return found


def encode(tokenizer: PreTrainedTokenizerBase, rows: list[dict[str, Any]], words: list[str], limit: int) -> Dataset:
    """N rows of `input_ids`, as `evaluation.candidate.head_scores` reads them, and `labels`, the number of the answer.

    Raises:
        InputError: a row longer than the `limit` tokens the model sees, or with an answer that is not the task's.
    """
    ids = tokenizer([row["input"] for row in rows])["input_ids"]
    for row, found in zip(rows, ids, strict=True):
        if len(found) > limit:
            raise InputError(
                f"{row['source']}: record {row['id']!r} has {len(found)} tokens; the model sees {limit}. Nothing is "
                "cut: set a window in the task file, or start from a checkpoint with a longer context."
            )
        if row["output"] not in words:
            raise InputError(
                f"record {row['id']!r}: the answer {row['output']!r} is none of {words}. Build the instructions "
                "without --wording, so that a head learns the answers of the task."
            )
    return Dataset.from_dict({"input_ids": ids, "labels": [words.index(row["output"]) for row in rows]})


def mcc_of(prediction: EvalPrediction) -> dict[str, float]:
    """MCC of logits (N, K) against numbers of answers (N,)."""
    return {"mcc": float(matthews_corrcoef(prediction.label_ids, np.argmax(prediction.predictions, axis=1)))}
