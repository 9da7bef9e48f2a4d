"""The variants of `sft_levers.py`: each is what it changes in the stages of the base recipe, and nothing else.

Keys: `tokenizer`, `pack`, `pretrain`, `instructions`, `distill`, `sft` hold overrides of that stage; `ensemble` says
how validation rows are asked (see `dnahlm predict --ensemble`); `single` trains one model for each task, on its share
of the steps.
"""

import json
from typing import Any

PLAIN = {"config_overrides": "{}"}  # the base recipe's are of LFM2
MAMBA = '{"state_size": 16, "head_dim": 32, "num_heads": 6, "expand": 2, "n_groups": 1}'
WORDS = 2048  # entries beside those of DNA: bytes and the English of the questions


def layers(*attention: int, conv_L_cache: int = 7, intermediate_size: int = 192) -> str:
    """The overrides of the base recipe's LFM2, with attention in these layers."""
    changed = {"conv_L_cache": conv_L_cache, "full_attn_idxs": attention, "intermediate_size": intermediate_size}
    return json.dumps(changed | {"block_auto_adjust_ff_dim": False})


def bpe(vocab_size: int, longest: int) -> dict[str, Any]:
    """A tokenizer whose DNA tokens are learnt merges."""
    return {"tokenizer": {"kind": "bpe", "k": None, "vocab_size": vocab_size, "max_dna_token": longest}}


def kmer(k: int) -> dict[str, Any]:
    """A tokenizer of non-overlapping k-mers; room for all of them beside the words."""
    return {"tokenizer": {"kind": "kmer", "k": k, "vocab_size": WORDS + 4**k}}


def overlapping(k: int) -> dict[str, Any]:
    """A token for each base that also holds the k - 1 after it; room for all words of 1 to k beside the English."""
    return {"tokenizer": {"k": k, "vocab_size": WORDS + sum(4**length for length in range(1, k + 1))}}


CUT = {"sft": {"bpe_dropout": 0.1}}
PHASE = {"sft": {"random_phase": True}}

VARIANTS: dict[str, dict[str, Any]] = {
    "base": {},
    # architecture
    "gpt2": {"pretrain": {"model_type": "gpt2", **PLAIN}},
    "llama": {"pretrain": {"model_type": "llama", **PLAIN}},
    "mamba2": {"pretrain": {"model_type": "mamba2", "config_overrides": MAMBA}},
    "lfm2, convolutions of 3": {"pretrain": {"config_overrides": layers(1, 3, conv_L_cache=3)}},
    # tokenizer
    "characters": {  # of English too: a question takes some 400 tokens
        "tokenizer": {"kind": "char", "k": None, "min_dna_run": None, "prompt_share": None, "tasks": None},
        "pack": {"block_size": 640},
    },
    "single bases": bpe(WORDS, 1),
    "3-mers": kmer(3),
    "3-mers, random phase": kmer(3) | PHASE,
    "6-mers": kmer(6),
    "6-mers, random phase": kmer(6) | PHASE,
    "overlapping 3-mers": overlapping(3),
    "overlapping 4-mers": overlapping(4),
    "overlapping 5-mers": overlapping(5),
    "overlapping 7-mers": overlapping(7),
    "bpe 512": bpe(512, 8),
    "bpe 512, dropout": bpe(512, 8) | CUT,
    "bpe 1k": bpe(1024, 8),
    "bpe 1k, dropout": bpe(1024, 8) | CUT,
    "bpe 4k": bpe(4096, 12),
    "bpe 4k, dropout": bpe(4096, 12) | CUT,
    "bpe 50k": bpe(50000, 16),
    "bpe 50k, dropout": bpe(50000, 16) | CUT,
    "no tokens of the template": {"tokenizer": {"template_tokens": False}},
    # the start of the rows of DNA tokens
    "rows at random": {"pretrain": {"dna_token_init": "random"}},
    "rows at random, 6-mers": kmer(6) | {"pretrain": {"dna_token_init": "random"}},
    "rows at random, bpe 1k": bpe(1024, 8) | {"pretrain": {"dna_token_init": "random"}},
    "one matrix for input and output": {"pretrain": {"tie_word_embeddings": True}},
    # pretraining
    "no pretraining": {"pretrain": {"max_steps": 1, "learning_rate": 0.0}},
    "pretraining of 400 steps": {"pretrain": {"max_steps": 400}},
    "pretraining of 1,600 steps": {"pretrain": {"max_steps": 1600}},
    # size
    "half as wide": {"pretrain": {"hidden_size": 48, "config_overrides": layers(1, 3, intermediate_size=96)}},
    "twice as wide": {"pretrain": {"hidden_size": 192, "config_overrides": layers(1, 3, intermediate_size=384)}},
    "two layers": {"pretrain": {"num_hidden_layers": 2, "config_overrides": layers(1)}},
    "six layers": {"pretrain": {"num_hidden_layers": 6, "config_overrides": layers(1, 3, 5)}},
    # augmentation
    "nothing redrawn": {"sft": {"redraw": None}},
    "phrasings redrawn only": {"sft": {"redraw": ["phrasings"]}},
    "strands redrawn only": {"sft": {"redraw": ["strands"]}},
    # teachers
    "labels alone": {"sft": {"distilled": None}},
    "labels alone, dropout": {"sft": {"distilled": None, "bpe_dropout": 0.1}},
    "train rows taught, no new rows": {"distill": {"rows": 0}},
    "teachers alone": {"distill": {"label_weight": 0.0}},
    "taught by CNNs alone": {"distill": {"teachers": ["cnn"]}},
    "taught by regressions alone": {"distill": {"teachers": ["kmer_lr"]}},
    # loss and optimizer
    "input loss 0.1": {"sft": {"input_loss_weight": 0.1}},
    "input loss 1": {"sft": {"input_loss_weight": 1.0}},
    "adamw": {"sft": {"muon": False, "learning_rate": 1.5e-3}},
    # ensembling: the base model, asked otherwise
    "both strands": {"ensemble": ["strands"]},
    "both strands, all phrasings": {"ensemble": ["strands", "phrasings"]},
    # one model for each task
    "single task": {"single": True},
}
