import pytest

from dnahlm.training.checkpoints import last_checkpoint


def checkpoint(folder, step, state='{"global_step": 1}'):
    path = folder / f"checkpoint-{step}"
    path.mkdir()
    (path / "model.safetensors").write_bytes(b"weights")
    if state is not None:
        (path / "trainer_state.json").write_text(state)
    return path


def test_the_highest_step_is_taken_by_number_not_by_name(tmp_path):
    checkpoint(tmp_path, 95)
    latest = checkpoint(tmp_path, 100)
    assert last_checkpoint(tmp_path) == latest


@pytest.mark.parametrize("state", [None, "", '{"global_step": 1'], ids=["missing", "empty", "cut"])
def test_a_checkpoint_cut_short_by_a_kill_is_passed_over(tmp_path, state):
    whole = checkpoint(tmp_path, 5)
    checkpoint(tmp_path, 10, state)
    assert last_checkpoint(tmp_path) == whole


def test_there_is_none_in_a_folder_of_other_things_or_no_folder(tmp_path):
    checkpoint(tmp_path, "best")
    (tmp_path / "checkpoint-3").write_text("a file")
    assert last_checkpoint(tmp_path) is None
    assert last_checkpoint(tmp_path / "none") is None
