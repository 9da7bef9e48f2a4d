"""Settings of fine-tuning: what is tuned on what, and what is added to trl's own arguments."""

import os
from dataclasses import dataclass, field

import torch
import torch._dynamo
from trl import SFTConfig

from dnahlm.training.arguments import MachineArguments

MULTIPLE = 32  # tokens; batches are padded to a multiple of it when the model is compiled
SHAPES = 64  # lengths and numbers of rows that are compiled before PyTorch gives up


@dataclass
class SftDataArguments:
    """What is fine-tuned, and on what."""

    model_name_or_path: str = field(metadata={"help": "checkpoint to tune: a folder with its tokenizer, or a hub name"})
    instructions: str = field(metadata={"help": "folder written by `dnahlm instructions build`"})
    distilled: str | None = field(
        default=None,
        metadata={"help": "folder written by `dnahlm distill` from the same instructions: its train rows, whose "
                  "targets are a teacher's probabilities, take the place of theirs"},
    )  # fmt: skip
    attn_implementation: str = field(
        default="sdpa", metadata={"help": "sdpa, eager or flash_attention_2; eager trains faster in bf16 on a CPU"}
    )
    bpe_dropout: float = field(
        default=0.0,
        metadata={"help": "probability to leave out a merge in the DNA of training rows, cut anew each epoch; of "
                  "overlapping k-mers, a base of a word with all behind it; 0 = off; always off at evaluation and in "
                  "what is saved"},
    )  # fmt: skip
    random_phase: bool = field(
        default=False,
        metadata={"help": "tokens of k bases: begin the DNA of training rows with 0 to k - 1 single letters, drawn "
                  "each epoch; always off at evaluation"},
    )  # fmt: skip
    redraw: list[str] = field(
        default_factory=list,
        metadata={"help": "what of training rows is drawn anew each epoch: phrasings (and the order of options), "
                  "strands (of tasks without a direction); none = rows stay as they were built"},
    )  # fmt: skip
    mutation_rate: float = field(
        default=0.0,
        metadata={"help": "share of the bases of train rows that another base replaces, drawn each epoch; not in "
                  "pairs; 0 = off"},
    )  # fmt: skip
    max_too_long: float = field(
        default=0.0,
        metadata={"help": "share of the train rows that may be left out because, with their answer, they are longer "
                  "than the model sees; they are counted"},
    )  # fmt: skip
    english: str | None = field(
        default=None,
        metadata={"help": "corpus whose held-out English shows what tuning costs; empty = the one of pretraining, if "
                  "it is still there"},
    )  # fmt: skip
    overwrite: bool = field(default=False, metadata={"help": "replace output_dir once the new run is complete"})


@dataclass
class SftArguments(MachineArguments, SFTConfig):
    """trl's SFT arguments, the precision by machine, Muon, and what tells the best step."""

    dev_rows: int = field(
        default=0,
        metadata={"help": "validation rows of each task that are scored at every evaluation: eval_mean_mcc, over "
                  "tasks; 0 = none. With load_best_model_at_end it decides which step is kept"},
    )  # fmt: skip
    input_loss_weight: float = field(
        default=0.0,
        metadata={
            "help": "weight of the language-model loss on the DNA asked about, beside that on the answer; 0 = off"
        },
    )
    early_stopping_patience: int = field(
        default=0,
        metadata={"help": "evaluations in a row without a better metric_for_best_model after which training stops; "
                  "0 = never"},
    )  # fmt: skip

    def __post_init__(self) -> None:
        if self.dev_rows > 0 and self.load_best_model_at_end and self.metric_for_best_model is None:
            self.metric_for_best_model = "mean_mcc"
        if self.torch_compile:
            # Each length is compiled once, for itself: code for any length is slower on a CPU.
            os.environ.setdefault("ACCELERATE_DYNAMO_USE_DYNAMIC", "false")
            torch._dynamo.config.recompile_limit = max(torch._dynamo.config.recompile_limit, SHAPES)
            if self.pad_to_multiple_of in (None, "auto"):
                self.pad_to_multiple_of = MULTIPLE
        super().__post_init__()
