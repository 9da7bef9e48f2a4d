import pytest

from dnahlm.tasks.simulate.run import SimulateConfig, run


@pytest.fixture(scope="session")
def organism(tmp_path_factory):
    """A small simulated organism: the folder `run` writes at scale 0.05."""
    folder = tmp_path_factory.mktemp("simulate") / "organism"
    run(SimulateConfig(output=str(folder), scale=0.05, seed=3))
    return folder


@pytest.fixture(scope="session")
def genome(organism):
    """Chromosome name -> letters as in the file, read without any code of the package."""
    return read_fasta(organism / "genome/organism.fa")


@pytest.fixture(scope="session")
def read_records():
    return read_fasta


def read_fasta(path):
    records = {}
    for line in path.read_text().splitlines():
        if line.startswith(">"):
            name = line[1:].split()[0]
            records[name] = []
        else:
            records[name].append(line)
    return {name: "".join(lines) for name, lines in records.items()}
