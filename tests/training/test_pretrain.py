import itertools
import json
import random

import pytest
import torch
from small_world import WORDS

from dnahlm.io import InputError
from dnahlm.manifest import read_manifest
from dnahlm.model.create import ModelArguments
from dnahlm.training.blocks import BlockStream, collate_blocks, read_blocks
from dnahlm.training.pretrain import PretrainArguments, PretrainDataArguments, run

SMALL = ModelArguments(hidden_size=32, num_hidden_layers=2, num_attention_heads=2)


def arguments(output, **more):
    settings = {
        "max_steps": 6,
        "per_device_train_batch_size": 4,
        "learning_rate": 1e-3,
        "logging_steps": 2,
        "disable_tqdm": True,
        "precision": "fp32",
        "save_strategy": "no",
        "use_cpu": True,
        **more,
    }
    return PretrainArguments(output_dir=str(output), **settings)


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


def test_a_finished_output_is_refused_and_left_as_it_was(blocks, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("keep")
    with pytest.raises(InputError, match="--overwrite"):
        run(PretrainDataArguments(blocks=str(blocks)), SMALL, arguments(tmp_path / "out"))
    assert (tmp_path / "out" / "mine.txt").read_text() == "keep"


def test_resume_continues_to_the_very_loss_of_an_uninterrupted_run(blocks, tmp_path):
    settings = {"max_steps": 6, "save_strategy": "steps", "save_steps": 3, "logging_steps": 1}
    run(PretrainDataArguments(blocks=str(blocks)), SMALL, arguments(tmp_path / "whole", **settings))

    class Stop(Exception):
        pass

    import dnahlm.training.pretrain as room

    original = room.LossLog.on_log

    def stop_at_four(self, args, state, control, logs=None, **kwargs):
        original(self, args, state, control, logs, **kwargs)
        if state.global_step == 4:
            raise Stop

    room.LossLog.on_log = stop_at_four
    try:
        with pytest.raises(Stop):
            run(PretrainDataArguments(blocks=str(blocks)), SMALL, arguments(tmp_path / "cut", **settings))
    finally:
        room.LossLog.on_log = original
    with pytest.raises(InputError, match="resume_from_checkpoint"):
        run(PretrainDataArguments(blocks=str(blocks)), SMALL, arguments(tmp_path / "cut", **settings))
    run(
        PretrainDataArguments(blocks=str(blocks)),
        SMALL,
        arguments(tmp_path / "cut", resume_from_checkpoint="true", **settings),
    )
    whole, cut = (
        read_manifest(tmp_path / name, "pretrain")["validation"]["bits_per_base"] for name in ("whole", "cut")
    )
    assert cut == pytest.approx(whole, abs=1e-9)


def test_resume_without_a_checkpoint_is_refused(blocks, tmp_path):
    with pytest.raises(InputError, match="no complete checkpoint"):
        run(
            PretrainDataArguments(blocks=str(blocks)),
            SMALL,
            arguments(tmp_path / "none", resume_from_checkpoint="true"),
        )


def test_a_resumed_run_does_not_replace_a_finished_output_unasked(blocks, tmp_path):
    run(PretrainDataArguments(blocks=str(blocks)), SMALL, arguments(tmp_path / "out"))
    (tmp_path / "out.part" / "checkpoint-3").mkdir(parents=True)
    (tmp_path / "out.part" / "checkpoint-3" / "trainer_state.json").write_text("{}")
    with pytest.raises(InputError, match="--overwrite"):
        run(
            PretrainDataArguments(blocks=str(blocks)), SMALL, arguments(tmp_path / "out", resume_from_checkpoint="true")
        )
    assert (tmp_path / "out" / "manifest.json").is_file()


def test_resume_false_starts_anew_and_a_path_is_refused(blocks, tmp_path):
    data = PretrainDataArguments(blocks=str(blocks))
    run(data, SMALL, arguments(tmp_path / "out", max_steps=1, resume_from_checkpoint="false"))
    with pytest.raises(InputError, match="true or false"):
        run(data, SMALL, arguments(tmp_path / "other", resume_from_checkpoint="some/checkpoint-3"))


@pytest.mark.parametrize(("kind", "measured"), [("dna", "bits_per_base"), ("text", "bits_per_byte")])
def test_a_corpus_of_one_kind_is_pretrained_on_and_measured(kind, measured, tokenizer_folder, tmp_path):
    from dnahlm.corpus import build, pack

    rng = random.Random(3)
    (tmp_path / "genome.fa").write_text("".join(f">r{i}\n{''.join(rng.choices('ACGT', k=4000))}\n" for i in range(6)))
    (tmp_path / "english.txt").write_text("\n\n".join(" ".join(rng.choices(WORDS, k=60)) for _ in range(100)))
    source = {"dna": ["genome.fa"]} if kind == "dna" else {"text": ["english.txt"]}
    corpus, blocks = str(tmp_path / "corpus"), str(tmp_path / "blocks")
    build.run(build.CorpusConfig(output=corpus, data_root=str(tmp_path), validation_share=0.2, **source))
    pack.run(pack.PackConfig(corpus=corpus, tokenizer=str(tokenizer_folder), output=blocks, block_size=32))
    manifest = run(PretrainDataArguments(blocks=blocks), SMALL, arguments(tmp_path / "out", max_steps=2))
    assert set(manifest["validation"]) == {measured} and manifest["validation"][measured] > 0


def logged(folder):
    return [json.loads(line) for line in (folder / "loss.jsonl").read_text().splitlines()]


def test_each_log_line_has_speed_memory_and_the_share_of_the_ceiling(blocks, tmp_path):
    run(PretrainDataArguments(blocks=str(blocks)), SMALL, arguments(tmp_path / "pretrain"))
    lines = [row for row in logged(tmp_path / "pretrain") if "loss" in row]
    assert lines
    for row in lines:
        assert row["tokens_per_second"] > 0
        assert 0 < row["mfu"] < 1
        assert row["peak_memory_mb"] > 50


def test_bits_per_base_are_logged_at_every_evaluation_and_agree_with_the_loss(blocks, tmp_path):
    settings = arguments(tmp_path / "pretrain", eval_strategy="steps", eval_steps=2)
    run(PretrainDataArguments(blocks=str(blocks)), SMALL, settings)
    dna = [row for row in logged(tmp_path / "pretrain") if "eval_dna_loss" in row]
    counts = read_manifest(blocks, "corpus pack")["counts"]["validation"]["dna"]
    assert len(dna) == 4  # steps 2, 4, 6 and the end
    for row in dna:
        nats_per_base = row["eval_dna_loss"] * counts["tokens"] / counts["bases"]
        assert row["eval_bits_per_base"] == pytest.approx(nats_per_base / 0.6931471805599453)


def test_a_continued_run_says_what_english_and_dna_cost_before_it(blocks, tmp_path):
    first = run(PretrainDataArguments(blocks=str(blocks)), SMALL, arguments(tmp_path / "first"))
    assert first["validation_before"] == {}
    go_on = ModelArguments(model_name_or_path=str(tmp_path / "first"))
    second = run(PretrainDataArguments(blocks=str(blocks)), go_on, arguments(tmp_path / "second"))
    assert second["validation_before"] == pytest.approx(first["validation"], abs=1e-5)


def test_a_run_whose_loss_is_far_worse_than_guessing_stops_and_leaves_nothing_that_looks_finished(blocks, tmp_path):
    settings = arguments(tmp_path / "pretrain", learning_rate=1e30, max_grad_norm=0, max_steps=40)
    with pytest.raises(InputError, match=r"step \d+: the training loss is .* diverged"):
        run(PretrainDataArguments(blocks=str(blocks)), SMALL, settings)
    assert not (tmp_path / "pretrain").exists()


def test_a_run_that_turns_nan_keeps_the_last_good_checkpoint_and_drops_the_broken_one(blocks, tmp_path, monkeypatch):
    from dnahlm.training.callbacks import LossLog

    def poison(self, args, state, control, model, **kwargs):
        if state.global_step == 4:
            next(model.parameters()).data.fill_(float("nan"))

    monkeypatch.setattr(LossLog, "on_step_end", poison)
    settings = arguments(tmp_path / "pretrain", save_strategy="steps", save_steps=1)
    with pytest.raises(InputError, match=r"step 5: the training loss is nan .*checkpoint-3 is the last good"):
        run(PretrainDataArguments(blocks=str(blocks)), SMALL, settings)
    assert not (tmp_path / "pretrain.part" / "checkpoint-4").exists()


def test_the_card_names_data_figures_and_hashes(blocks, tmp_path):
    manifest = run(PretrainDataArguments(blocks=str(blocks)), SMALL, arguments(tmp_path / "pretrain"))
    card = (tmp_path / "pretrain" / "README.md").read_text()
    assert f"{manifest['validation']['bits_per_base']:.4f}" in card
    assert manifest["tokenizer_sha256"] in card
    assert "genome.fa" in card
    assert "Not a clinical or diagnostic tool." in card
    assert "6 of 256 tokens" in card
    speed = manifest["speed"]
    assert f"{speed['tokens_per_second']:,.0f} tokens/s, {speed['mfu']:.1%} of" in card
    assert speed["ceiling_flops_per_second"] > 1e8 and f"{speed['peak_memory_mb']:,.0f} MB" in card


def test_a_stream_gives_every_block_once_an_epoch_and_another_order_in_the_next(blocks):
    stream = BlockStream(blocks / "train", seed=0)
    whole = sorted(row["input_ids"].tolist() for row in read_blocks(blocks / "train"))
    orders = []
    for epoch in (0, 1):
        stream.set_epoch(epoch)
        orders.append([row["input_ids"].tolist() for row in stream])
    assert len(stream) == len(whole)
    assert sorted(orders[0]) == sorted(orders[1]) == whole
    assert orders[0] != orders[1]


def test_a_streamed_run_counts_its_epochs_and_needs_no_max_steps(blocks, tmp_path):
    data = PretrainDataArguments(blocks=str(blocks), streaming=True)
    manifest = run(data, SMALL, arguments(tmp_path / "pretrain", max_steps=-1, num_train_epochs=2))
    n_blocks = read_manifest(blocks, "corpus pack")["counts"]["train"]["blocks"]
    assert manifest["counts"]["steps"] == 2 * -(-n_blocks // 4)
    assert [row["epoch"] for row in logged(tmp_path / "pretrain")][-1] == 2


def test_a_streamed_run_resumes_with_the_batches_it_would_have_seen(blocks, tmp_path, monkeypatch):
    from dnahlm.training.callbacks import LossLog

    data = PretrainDataArguments(blocks=str(blocks), streaming=True)
    more = {"save_strategy": "steps", "save_steps": 3, "logging_steps": 1}
    whole = run(data, SMALL, arguments(tmp_path / "whole", **more))

    def stop(self, args, state, control, **kwargs):
        if state.global_step == 4:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(LossLog, "on_step_end", stop)
        with pytest.raises(KeyboardInterrupt):
            run(data, SMALL, arguments(tmp_path / "cut", **more))
    with (tmp_path / "cut.part" / "loss.jsonl").open("a") as log:
        log.write('{"step": 5, "lo')  # as a kill cuts a line
    again = run(data, SMALL, arguments(tmp_path / "cut", resume_from_checkpoint="true", **more))
    assert again["validation"] == whole["validation"]
    steps = [[(r["step"], r["loss"]) for r in logged(tmp_path / name) if "loss" in r] for name in ("whole", "cut")]
    assert steps[0] == steps[1], "each step once, the cut line gone"


def test_the_card_holds_a_recipe_that_the_script_takes_and_the_hash_of_the_weights(blocks, tmp_path):
    import re

    import yaml

    from dnahlm.config import check_flat_yaml
    from dnahlm.manifest import sha256
    from dnahlm.model.adapters import AdapterArguments

    run(PretrainDataArguments(blocks=str(blocks)), SMALL, arguments(tmp_path / "pretrain"))
    card = (tmp_path / "pretrain" / "README.md").read_text()
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(re.search(r"```yaml\n(.*?)```", card, re.DOTALL).group(1))
    check_flat_yaml(recipe, (PretrainDataArguments, ModelArguments, PretrainArguments, AdapterArguments))
    settings = yaml.safe_load(recipe.read_text())
    assert settings["output_dir"] == str(tmp_path / "pretrain") and settings["max_steps"] == 6
    assert settings["gradient_accumulation_steps"] == 1, "a default that makes the batch is written down too"
    assert sha256(tmp_path / "pretrain" / "model.safetensors") in card


def test_a_run_from_scratch_says_that_nothing_could_be_forgotten(blocks, tmp_path, capsys):
    made = run(PretrainDataArguments(blocks=str(blocks)), SMALL, arguments(tmp_path / "pretrain"))
    assert made["forgetting"] == {}
    assert "trained from scratch: no earlier English to forget" in capsys.readouterr().out
    assert "Trained from scratch: no earlier English to forget." in (tmp_path / "pretrain" / "README.md").read_text()


def test_forgetting_is_measured_on_the_start_before_and_after_in_manifest_card_and_console(blocks, tmp_path, capsys):
    run(PretrainDataArguments(blocks=str(blocks)), SMALL, arguments(tmp_path / "first"))
    go_on = ModelArguments(model_name_or_path=str(tmp_path / "first"))
    capsys.readouterr()
    made = run(PretrainDataArguments(blocks=str(blocks)), go_on, arguments(tmp_path / "second"))
    figures, said = made["forgetting"], capsys.readouterr().out
    assert figures["starting_checkpoint"] == figures["before_training"] > figures["after_training"] > 0
    card = (tmp_path / "second" / "README.md").read_text()
    for key in ("starting_checkpoint", "before_training", "after_training"):
        assert f"{figures[key]:.4f}" in said and f"{figures[key]:.4f}" in card


def test_the_curve_is_drawn_at_every_checkpoint_and_at_the_end_and_is_in_the_card(blocks, tmp_path, monkeypatch):
    from dnahlm.training.curve import LossCurve

    drawn, original = [], LossCurve.draw

    def draw(self, folder, history):
        original(self, folder, history)
        drawn.append((folder / "loss.png").read_bytes())

    monkeypatch.setattr(LossCurve, "draw", draw)
    more = {"save_strategy": "steps", "save_steps": 2, "eval_strategy": "steps", "eval_steps": 2}
    run(PretrainDataArguments(blocks=str(blocks)), SMALL, arguments(tmp_path / "pretrain", **more))
    assert len(drawn) == 4  # steps 2, 4, 6 and the end
    assert all(picture.startswith(b"\x89PNG") for picture in drawn) and len(set(drawn)) == 4
    assert "![loss curve](loss.png)" in (tmp_path / "pretrain" / "README.md").read_text()


def test_the_best_checkpoint_of_a_run_is_the_one_of_fewest_bits(blocks, tmp_path):
    settings = arguments(
        tmp_path / "pretrain", learning_rate=1.0, lr_scheduler_type="constant", eval_strategy="steps", eval_steps=2,
        save_strategy="steps", save_steps=2, load_best_model_at_end=True, metric_for_best_model="bits_per_base",
    )  # fmt: skip
    made = run(PretrainDataArguments(blocks=str(blocks)), SMALL, settings)
    bits = [row["eval_bits_per_base"] for row in logged(tmp_path / "pretrain") if "eval_bits_per_base" in row]
    assert len(set(bits[:-1])) == 3 and min(bits[:-1]) != bits[2], "at this rate the last is not the best"
    assert made["validation"]["bits_per_base"] == pytest.approx(min(bits[:-1]))
