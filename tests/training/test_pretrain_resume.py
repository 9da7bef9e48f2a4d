import pytest
from pretrain_runs import SMALL, arguments, logged

from dnahlm.io import InputError
from dnahlm.manifest import read_manifest
from dnahlm.training.blocks import BlockStream, read_blocks
from dnahlm.training.pretrain import PretrainDataArguments, run


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
