"""A tuned checkpoint folder as training leaves it, with random weights; for the tests of inference and interface."""

import json

TASK = """\
id: {id}
version: 1
description: {description}
citation: "made for a test"
licence: "CC0-1.0"
simulated: true
source:
  format: csv
  files: {{train: a/train.csv, validation: a/dev.csv, test: a/test.csv}}
  hold_out: {{}}
columns: {{sequence: sequence, label: label}}
kind: classification
labels: {labels}
strand_symmetric: {symmetric}
window: {{bases: {window}, policy: {policy}}}
phrasings:
{phrasings}
held_out_phrasings:
{held_out}
metrics: [mcc, accuracy]
"""
PROMOTER = [
    "Is this DNA sequence a promoter? Answer with {options}.",
    "Does this sequence act as a promoter? Choose {options}.",
    "Decide whether the DNA below is a promoter: {options}.",
    "Which is it, {options}?",
    "Classify the sequence as {options}.",
    "Tell whether a promoter lies here: {options}.",
    "Promoter or not? Say {options}.",
    "Label this DNA as {options}.",
]
SPLICE = [
    "What kind of splice site is in the middle of this DNA? Answer with {options}.",
    "Name the splice site at the center: {options}.",
    "Is the middle of this sequence a splice donor, an acceptor or none? Pick {options}.",
    "Classify the splice site as {options}.",
    "Which splice junction is this, {options}?",
    "Find the type of splice site: {options}.",
    "Splice site type? {options}.",
    "Say which splice signal the center holds: {options}.",
]


def task_yaml(name, labels, phrasings, symmetric="false", window=0, policy="error"):
    def lines(items):
        return "\n".join(f'  - "{item}"' for item in items)

    return TASK.format(
        id=name,
        description=f"A test task named {name}.",
        labels=json.dumps(labels),
        phrasings=lines(phrasings),
        held_out=lines(f"In other words: {p}" for p in phrasings[:3]),
        symmetric=symmetric,
        window=window,
        policy=policy,
    )


def random_gpt2(tokenizer, context=512):
    """A tiny GPT-2 with large weights, so that different prompts get clearly different answers."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    special = {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id}
    shape = {"n_positions": context, "n_embd": 32, "n_layer": 2, "n_head": 2, "initializer_range": 0.1}
    torch.manual_seed(0)
    config = GPT2Config(vocab_size=len(tokenizer), bos_token_id=tokenizer.eos_token_id, **shape, **special)
    return GPT2LMHeadModel(config).eval()


def write_tuned_folder(folder, model, tokenizer):
    """Write checkpoint, tokenizer, two tasks, their facts and one calibration into `folder`."""
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / "tasks").mkdir()
    promoter = task_yaml("core_promoter", {"0": "non-promoter", "1": "promoter"}, PROMOTER, symmetric="true")
    splice = task_yaml("splice_site", {"0": "donor", "1": "acceptor", "2": "neither"}, SPLICE)
    (folder / "tasks/core_promoter.yaml").write_text(promoter)
    (folder / "tasks/splice_site.yaml").write_text(splice)
    facts = {
        "core_promoter": {"n_train": 100, "min_bases": 70, "max_bases": 70},
        "splice_site": {"n_train": 100, "min_bases": 40, "max_bases": 80},
    }
    (folder / "tasks.json").write_text(json.dumps(facts))
    (folder / "calibration.json").write_text(json.dumps({"core_promoter": {"temperature": 2.0, "bias": [0.3, -0.3]}}))
    return folder
