"""The study of the levers of fine-tuning: its variants only name settings that their stages have."""

import dataclasses
import json
import sys
from pathlib import Path

import pytest
from test_shipped_files import STAGE_OF, schema

FOLDER = Path(__file__).parents[1] / "eval" / "studies"
sys.path.insert(0, str(FOLDER))

import sft_levers  # noqa: E402
from sft_variants import VARIANTS  # noqa: E402


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_changes_only_settings_its_stage_has(name):
    for stage, overrides in VARIANTS[name].items():
        if stage in sft_levers.STAGES:
            classes = schema(STAGE_OF[sft_levers.STAGES[stage][0].split("_")[1]])
            known = {field.name for cls in classes for field in dataclasses.fields(cls)}
            assert set(overrides) <= known
            assert all(json.loads(text) is not None for key, text in overrides.items() if key == "config_overrides")
        else:
            assert stage in ("ensemble", "single")


def test_every_variant_has_a_file_name_of_its_own():
    assert len({sft_levers.slug(name) for name in VARIANTS}) == len(VARIANTS)


def test_table_and_figure_hold_every_variant_beside_the_base(tmp_path):
    rows = [
        {"variant": name, "seed": seed, "mcc": {"a": value, "b": value + 0.2}, "seconds": 60.0, "parameters": 1_000_000}
        for name, value in (("base", 0.4), ("gpt2", 0.1))
        for seed in (0, 1)
    ]
    sft_levers.write_table(rows, tmp_path / "levers.md")
    sft_levers.draw(rows, tmp_path / "levers.png")
    text = (tmp_path / "levers.md").read_text()
    assert "| base | 2 | 0.500 | 0.000 | +0.000 | 1.00 | 1.0 | 0.400 | 0.600 |" in text
    assert "| gpt2 | 2 | 0.200 | 0.000 | -0.300 |" in text
    assert (tmp_path / "levers.png").stat().st_size > 1000
