"""Supervised fine-tuning with trl: instructions -> a checkpoint that answers with a label and stops."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from datasets import Dataset
from peft import PeftModel
from transformers import PreTrainedModel, PreTrainedTokenizerFast
from transformers.integrations.deepspeed import unset_hf_deepspeed_config

from dnahlm.io import InputError
from dnahlm.manifest import FILE_NAME, StageClock, read_manifest, sha256, write_manifest
from dnahlm.model.adapters import AdapterArguments, lora_config, quantization
from dnahlm.model.create import check_attention, context_of, set_special_ids
from dnahlm.model.load import check_rows, load_checkpoint
from dnahlm.tasks.instructions import read_instructions
from dnahlm.tasks.prompt_encoder import PromptEncoder
from dnahlm.tasks.spec import TaskSpec
from dnahlm.tokenizer.load import fingerprint, load_tokenizer, template_fingerprint
from dnahlm.tokenizer.phase import DnaPhase
from dnahlm.tokenizer.word_dropout import dropout_for
from dnahlm.training.answer_trainer import AnswerTrainer
from dnahlm.training.arguments import changed_settings, how, staged_training, weight_hashes
from dnahlm.training.best import Score, check_levers, dev_sample, kept_facts, kept_words, mcc_of, stoppers, with_mean
from dnahlm.training.callbacks import LossLog
from dnahlm.training.card import write_card
from dnahlm.training.curve import LossCurve
from dnahlm.training.epochs import EpochCollator
from dnahlm.training.examples import ROW, check_padding, encode_records, lengths_of
from dnahlm.training.forgetting import Forgetting, forgetting_table, held_out_english, why_none, window_of
from dnahlm.training.muon import optimizer_for
from dnahlm.training.pretrain import zero_stage
from dnahlm.training.redraw import Questions
from dnahlm.training.sft_arguments import SftArguments, SftDataArguments
from dnahlm.training.task_files import tasks_of, write_tasks

__all__ = ["SftArguments", "SftDataArguments", "run"]


def run(
    data: SftDataArguments,
    adapter: AdapterArguments,
    args: SftArguments,
    finish: Callable[[Path], dict[str, Any]] | None = None,
    score: Score | None = None,
) -> dict[str, Any]:
    """instructions/ + checkpoint -> output_dir/: checkpoint (or adapter), tokenizer, tasks, loss.jsonl, manifest.

    Args:
        data: the checkpoint and the instructions.
        adapter: LoRA or full tuning.
        args: trl's settings; `output_dir` is where the result goes.
        finish: called with the complete, not yet renamed folder on the main process (calibration); what it returns
            goes into the manifest.
        score: tells the MCC of each task on its `dev_rows`; scoring lies right of training, so it is handed in.

    Raises:
        InputError: an example longer than the context, a tokenizer that is not the checkpoint's, output taken.
    """
    clock = StageClock()
    check_levers(args)
    built = read_manifest(data.instructions, "instructions build")
    specs = tasks_of(Path(data.instructions))
    model, tokenizer = start(data, adapter, args)
    english = held_out_english(data.model_name_or_path, data.english)
    forgetting = Forgetting(english, tokenizer, window_of(model))
    forgetting.measure(model, "before_training")
    records, datasets = rows_of(data, args, tokenizer)
    dev = dev_sample(records["validation"], specs, args.dev_rows, args.seed) if args.dev_rows else {}
    train = datasets["train"]
    collator = epochs_of(data, args, tokenizer, records["train"], specs, built["config"])
    lengths = lengths_of(train)
    lengths = collator.longest(train[ROW], lengths) if collator else lengths
    longest = max(lengths.max(), lengths_of(datasets["validation"]).max())
    check_padding(args.pad_to_multiple_of, int(longest), args.max_length)
    per_step = args.train_batch_size * args.gradient_accumulation_steps * args.world_size
    curve = LossCurve(per_step, "examples")
    inputs = {"checkpoint": data.model_name_or_path, "instructions": data.instructions}
    inputs |= {"distilled": data.distilled} if data.distilled else {}
    with staged_training(args, data.overwrite, list(inputs.values())) as part:
        trainer = AnswerTrainer(
            lengths,
            score=(lambda model: with_mean(score(model, tokenizer, specs, dev))) if dev and score else None,
            model=model,
            args=args,
            processing_class=tokenizer,
            train_dataset=train if collator else train.remove_columns(ROW),
            eval_dataset=datasets["validation"].remove_columns(ROW),
            peft_config=lora_config(adapter, model, tokenizer),
            callbacks=[LossLog(), curve, *stoppers(args)],
            optimizer_cls_and_kwargs=optimizer_for(args, args.muon),
        )
        if collator:
            trainer.show_anew(collator)
        result = trainer.train(resume_from_checkpoint=args.resume_from_checkpoint)
        kept = kept_facts(args, trainer.state, dev)
        validation = trainer.evaluate()
        forgetting.measure(trainer.model, "after_training", gather=False)
        save(trainer.model, trainer, part)
        manifest: dict[str, Any] = {}
        if trainer.is_world_process_zero():
            curve.draw(part, trainer.state.log_history)
            write_tasks(Path(data.instructions), [records["train"][n] for n in train[ROW]], part)
            unset_hf_deepspeed_config()  # else ZeRO-3 would part what this process alone opens
            counts = {
                "steps": result.global_step,
                "examples": len(train),
                "left_out_too_long": len(records["train"]) - len(train),
                "epochs": result.metrics.get("epoch"),
                "parameters": trainer.model.num_parameters(),
                "trained_parameters": trainer.model.num_parameters(only_trainable=True),
            }
            facts = facts_of(trainer, tokenizer, validation) | (finish(part) if finish else {})
            facts |= {"kept": kept, "forgetting": forgetting.figures, "tasks": built["tasks"]}
            config = {"seed": args.seed, **vars(data), **vars(adapter), "training": changed_settings(args)}
            manifest = write_manifest(part, "sft", config, clock, inputs, counts, weights=weight_hashes(part), **facts)
            write_card(part, manifest)  # in the place of trl's, which describes a chat model
            print(summary(manifest))
    trainer.accelerator.wait_for_everyone()
    trainer.accelerator.end_training()  # takes the process group down in order; at exit it may abort
    return manifest


def start(
    data: SftDataArguments, adapter: AdapterArguments, args: SftArguments
) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    """The checkpoint and its tokenizer; `max_length` becomes what the model sees at most.

    Raises:
        InputError: a tokenizer that is not the checkpoint's, or attention or quantization this machine has not.
    """
    tokenizer = load_tokenizer(data.model_name_or_path)
    check_attention(data.attn_implementation)
    quantized = quantization(adapter, args.bf16)
    model = load_checkpoint(data.model_name_or_path, data.attn_implementation, quantized)
    check_rows(model, tokenizer, data.model_name_or_path)
    set_special_ids(model, tokenizer)
    args.max_length = min(args.max_length or context_of(model), context_of(model))
    return model, tokenizer


def rows_of(
    data: SftDataArguments, args: SftArguments, tokenizer: PreTrainedTokenizerFast
) -> tuple[dict[str, list[dict[str, Any]]], dict[str, Dataset]]:
    """Records and tokenised examples of train and validation rows.

    Raises:
        InputError: more examples than `max_too_long` allows are longer than the context; a validation row is.
    """
    if not args.packing:
        args.dataset_kwargs = {"skip_prepare_dataset": True}  # rows are whole already; upstream looks at each in Python
    paths = {"train": train_rows(data), "validation": Path(data.instructions) / "validation.jsonl"}
    records = {split: read_instructions(path) for split, path in paths.items()}
    datasets = {
        split: encode_records(
            tokenizer, records[split], args.max_length, path, data.max_too_long if split == "train" else 0.0
        )
        for split, path in paths.items()
    }
    return records, datasets


def facts_of(
    trainer: AnswerTrainer, tokenizer: PreTrainedTokenizerFast, validation: dict[str, float]
) -> dict[str, Any]:
    """What the manifest says of the run itself: vocabulary, template, processes, precision, validation figures."""
    return {
        "tokenizer_sha256": fingerprint(tokenizer),
        "chat_template_sha256": template_fingerprint(tokenizer),
        "processes": trainer.args.world_size,
        "zero_stage": zero_stage(trainer),
        "precision": "bf16" if trainer.args.bf16 else "fp32",
        "validation_loss": validation["eval_loss"],
        "validation_mcc": mcc_of(validation),
    }


def train_rows(data: SftDataArguments) -> Path:
    """The file of train rows: that of the instructions, or the one a teacher has answered.

    Raises:
        InputError: the teacher has answered other instructions.
    """
    folder = Path(data.instructions)
    if data.distilled:
        taught = read_manifest(data.distilled, "distill")["inputs"]["instructions"]
        if taught["sha256"] != sha256(folder / FILE_NAME):
            raise InputError(
                f"distilled: {data.distilled} was made from {taught['path']} as it was then, not from {folder} as it "
                "is now. Run `dnahlm distill` again, or leave distilled out."
            )
        folder = Path(data.distilled)
    return folder / "train.jsonl"


def epochs_of(
    data: SftDataArguments,
    args: SftArguments,
    tokenizer: PreTrainedTokenizerFast,
    records: list[dict[str, Any]],
    specs: dict[str, TaskSpec],
    built: dict[str, Any],
) -> EpochCollator | None:
    """What makes train rows anew in every epoch; None where they stay as they were built.

    Raises:
        InputError: two ways to cut DNA at once, or one that tokenizer or instructions do not allow.
    """
    if data.bpe_dropout and data.random_phase:
        raise InputError("bpe_dropout and random_phase both cut DNA anew. Give one of them.")
    seed = args.data_seed if args.data_seed is not None else args.seed
    cutter = dropout_for(tokenizer, data.bpe_dropout) if data.bpe_dropout else None
    cutter = DnaPhase(tokenizer) if data.random_phase else cutter
    asks = data.redraw or data.mutation_rate
    questions = Questions(records, specs, data.redraw, seed, built, data.mutation_rate) if asks else None
    if not (cutter or questions or data.distilled):
        return None
    if args.packing:
        raise InputError(
            "packing: joins rows once, so nothing of them can be drawn anew or taught by shares. Leave packing out."
        )
    return EpochCollator(PromptEncoder(tokenizer), records, questions, cutter, seed, args.max_length)


def save(model: PreTrainedModel | PeftModel, trainer: AnswerTrainer, part: Path) -> None:
    """Write the weights; the cache that training switches off is on again in what is saved."""
    model.config.use_cache = True
    trainer.save_model(str(part))


def summary(manifest: dict[str, Any]) -> str:
    """One line of facts for the terminal."""
    counts = manifest["counts"]
    return (
        f"tuned {counts['parameters'] / 1e6:.2f} M parameters on {counts['examples']:,} instructions in "
        f"{counts['steps']:,} steps, {counts['epochs']:.1f} epochs ({how(manifest)}); "
        f"validation loss {manifest['validation_loss']:.3f} nats per answer token; {kept_words(manifest['kept'])}\n"
        + (forgetting_table(manifest["forgetting"]) or why_none(manifest["inputs"]["checkpoint"]["path"]))
    )
