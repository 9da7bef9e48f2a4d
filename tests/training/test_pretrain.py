import itertools
import json

import pytest
import torch
from pretrain_runs import SMALL, arguments

from dnahlm.io import InputError
from dnahlm.model.create import ModelArguments
from dnahlm.training.blocks import collate_blocks, read_blocks
from dnahlm.training.pretrain import PretrainDataArguments, run


def test_the_checkpoint_loads_with_auto_classes_and_carries_its_tokenizer(blocks, tmp_path):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    manifest = run(PretrainDataArguments(blocks=str(blocks)), SMALL, arguments(tmp_path / "pretrain"))
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "pretrain")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "pretrain")
    assert model.config.vocab_size == len(tokenizer)
    assert model.generation_config.eos_token_id == tokenizer.eos_token_id != tokenizer.pad_token_id
    assert manifest["validation"]["bits_per_base"] > 0
    assert {p.name for p in (tmp_path / "pretrain").iterdir()} >= {
        "loss.jsonl",
        "manifest.json",
        "model.safetensors",
        "chat_template.jinja",
    }
    assert not list((tmp_path / "pretrain").glob("*.bin")), "no pickles"


def test_a_packed_document_sees_nothing_of_its_neighbours(tiny_model, blocks):
    shared = next(row for row in read_blocks(blocks / "train") if (row["position_ids"] == 0).sum() > 1)
    batch = collate_blocks([shared])
    with torch.no_grad():
        packed = tiny_model(input_ids=batch["input_ids"], position_ids=batch["position_ids"], use_cache=False).logits
    row, positions = batch["input_ids"][0], batch["position_ids"][0]
    starts = [*(positions == 0).nonzero().flatten().tolist(), len(row)]
    for start, end in itertools.pairwise(starts):
        with torch.no_grad():
            alone = tiny_model(input_ids=row[start:end][None], use_cache=False).logits[0]
        assert torch.allclose(packed[0, start:end], alone, atol=1e-5)


def test_the_first_token_of_a_document_is_no_target(blocks):
    batch = collate_blocks([read_blocks(blocks / "train")[0]])
    assert (batch["labels"][batch["position_ids"] == 0] == -100).all()
    assert (batch["labels"] != -100).sum() == (batch["position_ids"] != 0).sum()


def test_the_loss_is_that_of_hand_shifted_targets(tiny_model, blocks):
    batch = collate_blocks([read_blocks(blocks / "train")[i] for i in range(3)])
    with torch.no_grad():
        out = tiny_model(**batch, use_cache=False)
    by_hand = torch.nn.functional.cross_entropy(
        out.logits[:, :-1].flatten(0, 1), batch["labels"][:, 1:].flatten(), ignore_index=-100
    )
    assert out.loss.item() == pytest.approx(by_hand.item(), abs=1e-4)


def test_micro_batches_of_one_and_of_four_train_the_same_model(blocks, tmp_path):
    losses = []
    for size, accumulation in ((4, 1), (1, 4)):
        args = arguments(
            tmp_path / f"b{size}", per_device_train_batch_size=size, gradient_accumulation_steps=accumulation
        )
        run(PretrainDataArguments(blocks=str(blocks)), SMALL, args)
        rows = [json.loads(line) for line in (tmp_path / f"b{size}" / "loss.jsonl").read_text().splitlines()]
        losses.append([row["loss"] for row in rows if "loss" in row])
    assert losses[0] == pytest.approx(losses[1], abs=2e-3)


def test_blocks_of_another_tokenizer_are_refused(blocks, tmp_path):
    from dnahlm.tokenizer.bpe import train_bpe

    train_bpe(
        ["another text entirely", "ACGTACGTACGTAA"], vocab_size=300, min_dna_run=8, max_dna_token=2
    ).save_pretrained(tmp_path / "other")
    data = PretrainDataArguments(blocks=str(blocks), tokenizer=str(tmp_path / "other"))
    with pytest.raises(InputError, match="another tokenizer"):
        run(data, SMALL, arguments(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_a_checkpoint_with_another_vocabulary_is_continued_with_transplanted_rows(blocks, tmp_path):
    from transformers import GPT2Config, GPT2LMHeadModel

    from dnahlm.tokenizer.bpe import train_bpe

    old = train_bpe(
        ["the gene is read from left to right " * 3, "ACGT" * 50], vocab_size=320, min_dna_run=8, max_dna_token=2
    )
    old.save_pretrained(tmp_path / "gpt2")
    GPT2LMHeadModel(
        GPT2Config(vocab_size=len(old), n_positions=64, n_embd=32, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0)
    ).save_pretrained(tmp_path / "gpt2")
    manifest = run(
        PretrainDataArguments(blocks=str(blocks)),
        ModelArguments(model_name_or_path=str(tmp_path / "gpt2")),
        arguments(tmp_path / "out"),
    )
    rows = manifest["start"]["embedding_rows"]
    assert rows["shared"] >= 258 and rows["new"] > 0


def test_blocks_longer_than_the_checkpoint_sees_are_refused(blocks, tmp_path, tiny_tokenizer):
    from transformers import GPT2Config, GPT2LMHeadModel

    tiny_tokenizer.save_pretrained(tmp_path / "short")
    GPT2LMHeadModel(
        GPT2Config(
            vocab_size=len(tiny_tokenizer),
            n_positions=16,
            n_embd=32,
            n_layer=1,
            n_head=2,
            bos_token_id=0,
            eos_token_id=0,
        )
    ).save_pretrained(tmp_path / "short")
    with pytest.raises(InputError, match="sees 16 tokens"):
        run(
            PretrainDataArguments(blocks=str(blocks)),
            ModelArguments(model_name_or_path=str(tmp_path / "short")),
            arguments(tmp_path / "out"),
        )


def test_a_checkpoint_without_a_tokenizer_is_refused(blocks, tmp_path, tiny_model):
    tiny_model.save_pretrained(tmp_path / "bare")
    with pytest.raises(InputError, match="tokenizer"):
        run(
            PretrainDataArguments(blocks=str(blocks)),
            ModelArguments(model_name_or_path=str(tmp_path / "bare")),
            arguments(tmp_path / "out"),
        )
