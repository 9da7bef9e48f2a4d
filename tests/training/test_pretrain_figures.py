import random

import pytest
from pretrain_runs import SMALL, arguments, logged
from small_world import WORDS

from dnahlm.manifest import read_manifest
from dnahlm.model.create import ModelArguments
from dnahlm.training.pretrain import PretrainArguments, PretrainDataArguments, run


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


def test_the_card_names_data_figures_and_hashes(blocks, tmp_path):
    manifest = run(PretrainDataArguments(blocks=str(blocks)), SMALL, arguments(tmp_path / "pretrain"))
    card = (tmp_path / "pretrain" / "README.md").read_text()
    assert f"{manifest['validation']['bits_per_base']:.4f}" in card
    assert manifest["tokenizer_sha256"] in card
    assert "| genome.fa | dna | CC0-1.0 |" in card and "| english.txt | text | not stated |" in card
    assert "Not a clinical or diagnostic tool." in card
    assert "6 of 256 tokens" in card
    speed = manifest["speed"]
    assert f"{speed['tokens_per_second']:,.0f} tokens/s, {speed['mfu']:.1%} of" in card
    assert speed["ceiling_flops_per_second"] > 1e8 and f"{speed['peak_memory_mb']:,.0f} MB" in card


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
