import gzip

import pytest

from dnahlm.io import InputError, clear_errors, open_text, part_of, require_file, shipped, staged_file, staged_folder


def test_a_stage_that_fails_leaves_nothing_and_keeps_what_was_there(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old.txt").write_text("old")
    (tmp_path / "out" / "manifest.json").write_text("{}")
    with pytest.raises(RuntimeError), staged_folder(tmp_path / "out", overwrite=True) as part:
        (part / "half.txt").write_text("half")
        raise RuntimeError
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    assert (tmp_path / "out" / "old.txt").read_text() == "old"


def test_overwriting_replaces_the_whole_folder(tmp_path):
    for text in ("one", "two"):
        with staged_folder(tmp_path / "out", overwrite=True) as part:
            (part / f"{text}.txt").write_text(text)
            (part / "manifest.json").write_text("{}")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["manifest.json", "two.txt"]
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_folder_that_holds_something_is_refused_before_anything_is_written(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="--overwrite"), staged_folder(tmp_path):
        pass
    assert not part_of(tmp_path).exists()


def test_an_empty_folder_is_taken(tmp_path):
    (tmp_path / "out").mkdir()
    with staged_folder(tmp_path / "out") as part:
        (part / "x").write_text("x")
    assert (tmp_path / "out" / "x").exists()


def test_what_a_killed_run_left_is_named_and_refused(tmp_path):
    part_of(tmp_path / "out").mkdir()
    with pytest.raises(InputError, match=r"out\.part.*--overwrite"), staged_folder(tmp_path / "out"):
        pass


def test_a_file_is_written_beside_and_renamed(tmp_path):
    with staged_file(tmp_path / "a" / "x.csv") as part:
        part.write_text("1")
        assert not (tmp_path / "a" / "x.csv").exists()
    assert (tmp_path / "a" / "x.csv").read_text() == "1"


@pytest.mark.parametrize("name", ["missing.txt", "empty.txt", "folder"])
def test_a_file_that_cannot_be_read_is_named(tmp_path, name):
    (tmp_path / "empty.txt").touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match=name):
        require_file(tmp_path / name, "text")


def test_a_gzip_cut_short_is_an_error_not_a_short_file(tmp_path):
    whole = gzip.compress(b"ACGT\n" * 10_000)
    (tmp_path / "x.txt.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="cut short"), open_text(tmp_path / "x.txt.gz") as handle:
        handle.read()


def test_a_byte_order_mark_is_not_part_of_the_text(tmp_path):
    (tmp_path / "x.txt").write_bytes(b"\xef\xbb\xbfsequence")
    with open_text(tmp_path / "x.txt") as handle:
        assert handle.read() == "sequence"


def test_text_that_is_not_utf8_names_the_byte(tmp_path):
    (tmp_path / "x.txt").write_bytes(b"abc\xff")
    with pytest.raises(InputError, match="0xff"), open_text(tmp_path / "x.txt") as handle:
        handle.read()


def test_a_user_error_is_one_message_and_status_2(capsys):
    with pytest.raises(SystemExit) as stop, clear_errors():
        raise InputError("x.fa:3: bad")
    assert stop.value.code == 2
    assert capsys.readouterr().err == "error: x.fa:3: bad\n"


def test_a_full_disk_is_said_in_words(capsys):
    with pytest.raises(SystemExit), clear_errors():
        raise OSError(28, "No space left on device", "out/x")
    assert "No space left" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["recipes", "data_templates", "eval/suites"])
def test_shipped_folders_are_found(name):
    assert any(shipped(name).iterdir())
