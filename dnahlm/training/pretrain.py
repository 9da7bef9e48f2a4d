"""Pretraining: packed blocks -> a checkpoint, from scratch or continuing one, in one process or under DeepSpeed."""

import statistics
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from transformers import TrainingArguments, set_seed

from dnahlm.io import InputError
from dnahlm.manifest import StageClock, read_manifest, write_manifest
from dnahlm.model.adapters import AdapterArguments, adapted, lora_config
from dnahlm.model.create import ModelArguments
from dnahlm.model.english import sample
from dnahlm.model.isolation import TOLERANCE, packing_leak
from dnahlm.tokenizer.load import fingerprint, load_tokenizer
from dnahlm.training.arguments import (
    MachineArguments,
    changed_settings,
    how,
    is_main_process,
    staged_training,
    weight_hashes,
)
from dnahlm.training.block_trainer import BITS, BlockTrainer
from dnahlm.training.blocks import BlockStream, collate_blocks, read_blocks
from dnahlm.training.callbacks import LossLog
from dnahlm.training.card import write_card
from dnahlm.training.curve import LossCurve
from dnahlm.training.forgetting import forgetting_table, why_none
from dnahlm.training.muon import optimizer_for
from dnahlm.training.start import english_of, forgetting_from, starting_model


@dataclass
class PretrainDataArguments:
    """What the model is pretrained on."""

    blocks: str = field(metadata={"help": "folder written by `dnahlm corpus pack`"})
    tokenizer: str | None = field(
        default=None, metadata={"help": "tokenizer folder; empty = the one the blocks were packed with"}
    )
    streaming: bool = field(
        default=False, metadata={"help": "read blocks from disk as they are needed: memory does not grow with them"}
    )
    overwrite: bool = field(default=False, metadata={"help": "replace output_dir once the new run is complete"})


@dataclass
class PretrainArguments(MachineArguments, TrainingArguments):
    """Upstream's training arguments, the precision by machine, and Muon.

    Raises:
        InputError: the best checkpoint is wanted, and not said of what.
    """

    def __post_init__(self) -> None:
        if self.load_best_model_at_end and self.metric_for_best_model is None:
            raise InputError(
                "load_best_model_at_end: there is no one validation loss here. Give metric_for_best_model, "
                f"{' or '.join(name for name, _ in BITS.values())}."
            )
        if (self.metric_for_best_model or "").removeprefix("eval_") in dict(BITS.values()):
            self.greater_is_better = False  # upstream takes what does not end in `loss` for a score
        super().__post_init__()


def run(
    data: PretrainDataArguments,
    model_args: ModelArguments,
    args: PretrainArguments,
    adapter: AdapterArguments | None = None,
) -> dict[str, Any]:
    """blocks/ (N, T) -> output_dir/: checkpoint (or adapter), tokenizer, loss.jsonl, loss.png, manifest.

    Raises:
        InputError: blocks packed with another tokenizer or longer than the checkpoint's context, output taken, or an
            adapter on a checkpoint that was not fitted to the tokenizer first.
    """
    adapter = adapter or AdapterArguments()
    clock = StageClock()
    blocks = read_manifest(data.blocks, "corpus pack")
    tokenizer_path = data.tokenizer or blocks["inputs"]["tokenizer"]["path"]
    tokenizer = load_tokenizer(tokenizer_path)
    if fingerprint(tokenizer) != blocks["tokenizer_sha256"]:
        raise InputError(
            f"{data.blocks}: was packed with another tokenizer than {tokenizer_path}, so its ids mean other tokens. "
            "Run `dnahlm corpus pack` again with this tokenizer, or give the one named in the blocks' manifest."
        )
    set_seed(args.seed)  # before the weights are drawn, which the trainer's own seeding would be too late for
    english = sample(english_of(Path(data.blocks), tokenizer))
    model, start = starting_model(
        model_args, adapter, tokenizer, tokenizer_path, english, blocks["block_size"], args.seed, args.bf16
    )
    model.config.use_cache = False  # with a cache, packed documents would see each other
    leak = packing_leak(model)
    if leak > TOLERANCE and is_main_process():
        print(
            f"note: a {model.config.model_type} model does not keep packed documents apart: one changes the logits of "
            f"the next by up to {leak:.2g} (its first tokens see the last ones before them)"
        )
    if (config := lora_config(adapter, model, tokenizer)) is not None:
        model = adapted(model, config, recompute=args.activation_checkpointing or args.gradient_checkpointing)
    forgetting = forgetting_from(start, english, tokenizer)
    held_out = blocks["counts"]["validation"]
    block_size = blocks["block_size"]
    tokens_per_step = args.train_batch_size * args.gradient_accumulation_steps * args.world_size * block_size
    curve = LossCurve(tokens_per_step, "tokens")
    with staged_training(
        args, data.overwrite, [data.blocks, tokenizer_path, model_args.model_name_or_path or data.blocks]
    ) as part:
        train = Path(data.blocks) / "train"
        trainer = BlockTrainer(
            held_out,
            block_size,
            model=model,
            args=args,
            processing_class=tokenizer,
            train_dataset=BlockStream(train, args.seed) if data.streaming else read_blocks(train),
            eval_dataset={kind: read_blocks(Path(data.blocks) / "validation" / kind) for kind in held_out},
            data_collator=collate_blocks,
            callbacks=[LossLog(), curve],
            optimizer_cls_and_kwargs=optimizer_for(args, args.muon),
        )
        # What forgetting is measured against; a resumed run has the figures in the state it goes on from.
        args.eval_on_start |= start["from"] != "scratch" and not args.resume_from_checkpoint
        result = trainer.train(resume_from_checkpoint=args.resume_from_checkpoint)
        bits = bits_of(trainer.evaluate())
        if forgetting.figures:
            forgetting.measure(trainer.model, "after_training", gather=False)
        model.config.use_cache = True
        trainer.save_model(str(part))
        manifest: dict[str, Any] = {}
        if trainer.is_world_process_zero():
            curve.draw(part, trainer.state.log_history)
            manifest = write_manifest(
                part,
                "pretrain",
                {
                    "seed": args.seed, **vars(data), **vars(model_args), **vars(adapter),
                    "training": changed_settings(args),
                },
                clock,
                {"blocks": data.blocks, **({} if start["from"] == "scratch" else {"checkpoint": start["from"]})},
                {
                    "steps": result.global_step,
                    "tokens": result.global_step * tokens_per_step,
                    "parameters": model.num_parameters(),
                    "trained_parameters": model.num_parameters(only_trainable=True),
                },
                start=start,
                tokenizer_sha256=fingerprint(tokenizer),
                processes=args.world_size,
                zero_stage=zero_stage(trainer),
                precision="bf16" if args.bf16 else "fp32",
                validation=bits,
                validation_before=bits_before(trainer),
                forgetting=forgetting.figures,
                packing_leak=leak,
                speed=speed_of(trainer),
                weights=weight_hashes(part),
            )  # fmt: skip
            write_card(part, manifest)
            print(summary(manifest))
    trainer.accelerator.wait_for_everyone()
    trainer.accelerator.end_training()  # takes the process group down in order; at exit it may abort
    return manifest


def bits_of(figures: dict[str, float]) -> dict[str, float]:
    """Bits per base and per byte among logged figures."""
    return {name: figures[f"eval_{name}"] for name, _ in BITS.values() if f"eval_{name}" in figures}


def bits_before(trainer: BlockTrainer) -> dict[str, float]:
    """The same of the weights the run started from; empty for a run from scratch."""
    logged = [bits_of(row) for row in trainer.state.log_history if row["step"] == 0]
    return {name: value for bits in logged for name, value in bits.items()}


def speed_of(trainer: BlockTrainer) -> dict[str, float]:
    """Medians of the logged tokens per second and share of the ceiling, the ceiling (operations per second of one
    process) and the most memory (megabytes, of one process); empty where no step was logged.
    """
    rows = [row for row in trainer.state.log_history if "tokens_per_second" in row]
    if not rows:
        return {}
    return {
        **{name: statistics.median(row[name] for row in rows) for name in ("tokens_per_second", "mfu")},
        "ceiling_flops_per_second": trainer.ceiling,
        "peak_memory_mb": max(row["peak_memory_mb"] for row in rows),
    }


def zero_stage(trainer: BlockTrainer) -> int | None:
    """ZeRO stage of a DeepSpeed launch, None in a plain one."""
    plugin = trainer.accelerator.state.deepspeed_plugin
    return plugin.zero_stage if plugin is not None else None


def summary(manifest: dict[str, Any]) -> str:
    """The facts for the terminal: one line, and what English costs now."""
    counts = manifest["counts"]
    bits = ", ".join(f"{value:.3f} {name.replace('_', ' ')}" for name, value in manifest["validation"].items())
    return (
        f"pretrained {counts['parameters'] / 1e6:.2f} M parameters from {manifest['start']['from']} on "
        f"{counts['tokens'] / 1e6:.2f} M tokens in {counts['steps']:,} steps ({how(manifest)}); held out: {bits}\n"
        + (forgetting_table(manifest["forgetting"]) or why_none(manifest["start"]["from"]))
    )
