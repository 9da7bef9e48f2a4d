"""Bad input, through the command line: one message that names the place and the way out, status 2, nothing changed."""

import pytest
from small_world import snapshot

from dnahlm.cli import main


@pytest.fixture
def refused(capsys, tmp_path):
    """Run a command that must be refused; returns its one-line message."""

    def run(*args):
        before = snapshot(tmp_path)
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main([str(arg) for arg in args])
        said = capsys.readouterr().err
        assert stop.value.code == 2, said
        assert "Traceback" not in said
        assert snapshot(tmp_path) == before, "something was written or lost"
        (line,) = [line for line in said.splitlines() if line.startswith("error: ")]
        return line

    return run
