"""What the settings of `dnahlm instructions build` make of the same rows."""

import json
import re
from collections import Counter

import pytest
import yaml

from dnahlm.io import InputError, shipped
from dnahlm.tasks.records import Draw
from dnahlm.tasks.spec import answers, load_task

V1 = {"v1": {"phrasing": "Determine it.", "labels": {"0": "Background Sequences", "1": "Binding Sites"}}}
ALTERNATIVE = {"0": ["unbound", "free"], "1": ["occupied", "taken"]}


def answers_of(records):
    return Counter(record["output"] for record in records)


def uneven(desk):
    """30 background and 10 binding train rows."""
    task = desk.filled()
    desk.table("mine_train.csv", [(s, int(i % 4 == 0)) for i, s in enumerate(desk.dna(40))])
    return task


def test_balance_leaves_as_many_train_rows_of_each_class_as_of_the_rarest(desk):
    manifest, splits = desk.build(uneven(desk), balance=True)
    assert answers_of(splits["train"]) == {"background": 10, "binding site": 10}
    assert len(splits["test"]) == 10
    assert manifest["counts"]["mine"]["table"]["rows_left_out_train"] == 20


def test_shots_are_drawn_by_the_seed(desk):
    task = uneven(desk)
    drawn = []
    for seed in (0, 0, 1):
        _, splits = desk.build(task, shots=3, seed=seed, overwrite=True)
        assert answers_of(splits["train"]) == {"background": 3, "binding site": 3}
        drawn.append({record["id"] for record in splits["train"]})
    assert drawn[0] == drawn[1] != drawn[2]


def test_fewer_shots_are_part_of_more_shots(desk):
    task = uneven(desk)
    few, more = (
        {r["id"] for r in desk.build(task, shots=k, overwrite=True)[1]["train"]} for k in (2, 6)
    )  # fmt: skip
    assert few < more


def test_more_shots_than_rows_are_refused(desk):
    with pytest.raises(InputError, match=r"10 train rows with label '1', fewer than --shots 11"):
        desk.build(uneven(desk), shots=11)


def shown(record):
    """Input and answer of each example in an instruction."""
    lines = record["instruction"].split("\n")
    assert lines[1] == "Examples:"
    return [tuple(line.split(" -> ")) for line in lines[2:]]


def test_examples_are_answered_train_rows_of_each_class_and_never_the_row_itself(desk):
    task = desk.filled()
    _, plain = desk.build(task, output="plain")
    truth = {record["input"]: record["output"] for record in plain["train"]}
    _, splits = desk.build(task, examples=4)
    orders = set()
    for records in splits.values():
        for record in records:
            examples = shown(record)
            assert len(set(examples)) == 4
            assert all(truth[sequence] == answer for sequence, answer in examples)
            assert record["input"] not in dict(examples)
            assert Counter(dict(examples).values()) == {"background": 2, "binding site": 2}
            assert "\n\n" not in record["instruction"]
            orders.add(examples[0][1])
    assert orders == {"background", "binding site"}


def test_more_examples_than_rows_are_refused(desk):
    with pytest.raises(InputError, match="too few train rows for --examples 50"):
        desk.build(desk.filled(), examples=50)


def test_a_named_wording_is_taken_over_word_for_word(desk):
    _, splits = desk.build(desk.filled(wordings=V1), wording="v1")
    for split in ("train", "validation", "test"):
        assert {record["instruction"] for record in splits[split]} == {"Determine it."}
        assert {record["phrasing"] for record in splits[split]} == {"wording-v1"}
        assert set(answers_of(splits[split])) == {"Background Sequences", "Binding Sites"}


def test_an_unknown_wording_is_refused_with_a_suggestion(desk):
    with pytest.raises(InputError, match=r"no wording 'v2'.*Known: v1|Did you mean 'v1'"):
        desk.build(desk.filled(wordings=V1), wording="v2")


def test_alternative_words_are_listed_written_and_known_to_scoring(desk):
    _, splits = desk.build(desk.filled(alternative_labels=ALTERNATIVE), label_words="alternative")
    assert set(answers_of(splits["test"])) == {"unbound", "occupied"}
    assert all("unbound" in r["instruction"] and "background" not in r["instruction"] for r in splits["train"])
    assert answers(load_task(desk.root / "instructions" / "tasks" / "mine.yaml")) == ["unbound", "occupied"]


def test_every_set_of_alternative_words_can_be_asked_for(desk):
    task = desk.filled(alternative_labels=ALTERNATIVE)
    _, splits = desk.build(task, label_words="alternative-2")
    assert {answer for split in splits for answer in answers_of(splits[split])} == {"free", "taken"}
    assert answers(load_task(desk.root / "instructions" / "tasks" / "mine.yaml")) == ["free", "taken"]
    with pytest.raises(InputError, match=r"mine.yaml:\d+: task mine has 2 sets of words .* alternative-3 needs 3"):
        desk.build(task, output="third", label_words="alternative-3")


def test_rows_and_wordings_stay_the_same_with_other_words(desk):
    task = desk.filled(alternative_labels=ALTERNATIVE)
    _, standard = desk.build(task, output="a")
    _, other = desk.build(task, output="b", label_words="alternative")
    assert [(r["id"], r["phrasing"]) for r in standard["test"]] == [(r["id"], r["phrasing"]) for r in other["test"]]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"label_words": "other"}, "allowed: standard, alternative"),
        ({"label_words": "alternative-0"}, "allowed: standard, alternative"),
        ({"label_words": "alternative"}, r"mine.yaml:\d+: task mine has 0 sets of words"),
        ({"wording": "v1", "label_words": "alternative"}, "brings its own label words"),
        ({"max_length": 10}, "needs --tokenizer"),
        ({"max_train_rows": 1}, r"no train rows with label \['\d'\] once the settings leave rows out"),
        ({"max_test_rows": 1}, r"no test rows with label \['\d'\] once the settings leave rows out"),
        ({"repeats": '{"mine": 2, "mine": 3}'}, "has a key twice"),
        ({"shots": -1}, "shots: -1"),
        ({"mixture": "m.yaml"}, "leave --tasks out"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(desk, settings, said):
    with pytest.raises(InputError, match=said):
        desk.build(desk.filled(), **settings)
    assert not (desk.root / "instructions").exists()


def test_tokens_are_counted_as_training_will_see_them(desk, tiny_tokenizer, tmp_path):
    from dnahlm.tasks.prompt import encode, render_prompts

    tiny_tokenizer.save_pretrained(tmp_path / "tokenizer")
    manifest, splits = desk.build(desk.filled(), tokenizer=str(tmp_path / "tokenizer"))
    train = splits["train"]
    prompts = render_prompts(tiny_tokenizer, [r["instruction"] for r in train], [r["input"] for r in train])
    sizes = [
        len(p) + len(a) for p, a in zip(*encode(tiny_tokenizer, prompts, [r["output"] for r in train]), strict=True)
    ]
    counts = manifest["counts"]["mine"]["train"]
    assert (counts["tokens"], counts["max_tokens"]) == (sum(sizes), max(sizes))
    with pytest.raises(InputError, match=r"mine_\w+.csv:\d+: .*the answer would be cut.*mine.yaml"):
        desk.build(
            desk.filled(), output="cut", tokenizer=str(tmp_path / "tokenizer"), max_length=counts["max_tokens"] - 1
        )
    assert not (desk.root / "cut").exists()


def test_a_question_with_a_reserved_token_is_refused_by_task_and_row(desk, tiny_tokenizer, tmp_path):
    tiny_tokenizer.save_pretrained(tmp_path / "tokenizer")
    phrasings = [f"Question {i}? {{options}}." for i in range(7)] + [f"Stop {tiny_tokenizer.eos_token}? {{options}}."]
    task = desk.filled(phrasings=phrasings)
    with pytest.raises(InputError, match=rf"mine_\w+.csv:\d+: task mine \({task}\): .*which the tokenizer reads as"):
        desk.build(task, tokenizer=str(tmp_path / "tokenizer"))
    assert not (desk.root / "instructions").exists()


def mixture(desk, text):
    path = desk.root / "mixture.yaml"
    path.write_text(text)
    return str(path)


def test_a_mixture_sets_weights_caps_and_temperature(desk):
    big, small = desk.filled("big", n=160), desk.filled("small", seed=5)
    text = f"tasks:\n  {big}:\n  {small}: {{max_train_rows: 10}}\ntemperature: 2.0\n"
    manifest, splits = desk.build(mixture=mixture(desk, text))
    assert Counter(r["task"] for r in splits["train"]) == {"big": 40, "small": 10}  # sqrt(160 / 10) = 4
    assert manifest["counts"]["big"]["table"]["rows_left_out_train"] == 120
    assert manifest["inputs"]["mixture"]["path"].endswith("mixture.yaml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tasks: {}\n", ":1: tasks: none given"),
        ("tasks: {core_promoter: {weigth: 2}}\n", "Did you mean 'weight'"),
        ("tasks: {core_promoter: {weight: 0}}\n", "weight 0; must be a number above 0"),
        ("tasks: {core_promoter: {weight: .inf}}\n", "weight inf; must be a number above 0"),
        ("tasks: {core_promoter: {}}\ntemperature: 1.0e-9\n", ":2: temperature: found 1e-09; must be 0.001 or more"),
        ("tasks: {core_promoter: {}, enhancer: {}}\ntrain_rows: 1\n", ":2: train_rows: found 1; must be 2"),
        ("tasks: {core_promoter: {}}\ntemperature: 0\n", ":2: temperature: found 0"),
        ("tasks: {core_promoter: {}}\ntrain_rows: -1\n", ":2: train_rows: found -1"),
    ],
)
def test_what_a_mixture_must_not_say_is_refused(desk, text, said):
    with pytest.raises(InputError, match=re.escape(said)):
        desk.build(mixture=mixture(desk, text))


def test_draws_are_even():
    firsts = Counter(Draw(f"0:row-{i}").ordered("abc")[0] for i in range(3000))
    assert all(abs(n / 3000 - 1 / 3) < 0.03 for n in firsts.values())
    assert max(Draw("x").below(7) for _ in range(3)) < 7
    long = Draw("x")
    assert len({tuple(long.ordered(range(60))) for _ in range(20)}) == 20  # more chance than one hash holds


# What LLaMA-Factory 0.9.5 documents for dataset_info.json (data/README.md there).
LLAMA_FACTORY_KEYS = {
    "hf_hub_url", "ms_hub_url", "script_url", "cloud_file_name", "file_name", "formatting", "ranking", "subset",
    "split", "folder", "num_samples", "columns", "tags",
}  # fmt: skip
LLAMA_FACTORY_COLUMNS = {
    "prompt", "query", "response", "history", "messages", "system", "tools", "images", "videos", "audios", "chosen",
    "rejected", "kto_tag",
}  # fmt: skip


def test_the_registry_has_no_key_that_llama_factory_would_ignore():
    registry = json.loads((shipped("data_templates") / "dataset_info.json").read_text())
    for entry in registry.values():
        assert set(entry) <= LLAMA_FACTORY_KEYS
        assert set(entry["columns"]) <= LLAMA_FACTORY_COLUMNS


def test_every_split_is_registered_for_llama_factory(desk):
    desk.build(desk.filled())
    folder = desk.root / "instructions"
    registry = json.loads((folder / "dataset_info.json").read_text())
    assert {entry["file_name"] for entry in registry.values()} == {path.name for path in folder.glob("*.jsonl")}
    for entry in registry.values():
        record = json.loads((folder / entry["file_name"]).read_text().splitlines()[0])
        assert entry["formatting"] == "alpaca"
        assert all(isinstance(record[column], str) for column in entry["columns"].values())


def test_the_paper_wording_keeps_the_papers_words_for_the_tables_numbers():
    wording = load_task("splice_site").wordings["dnahlm_v1"]
    assert wording.labels == {"0": "Non-Splice Sites", "1": "Acceptor Sites", "2": "Donor Sites"}
    for name in ("core_promoter", "promoter_300", "tf_binding_0"):
        assert "dnahlm_v1" in load_task(name).wordings


def test_a_task_file_with_other_words_is_the_same_otherwise(desk):
    task = desk.filled(alternative_labels=ALTERNATIVE)
    desk.build(task, label_words="alternative")
    written = yaml.safe_load((desk.root / "instructions" / "tasks" / "mine.yaml").read_text())
    given = json.loads(task.read_text())
    assert {k for k in given if written.get(k) != given[k]} == {"labels", "alternative_labels"}


def test_datasets_reads_all_files_of_a_build_together(desk):
    from datasets import load_dataset

    desk.build(desk.filled())
    files = {name: str(desk.root / "instructions" / f"{name}.jsonl") for name in ("train", "validation", "test")}
    splits = load_dataset("json", data_files=files, cache_dir=str(desk.root / "cache"))
    assert splits.num_rows == {"train": 40, "validation": 10, "test": 10}


def test_trl_tunes_on_a_build_and_its_loss_is_on_the_answer_alone(desk, tiny_tokenizer, tiny_model, tmp_path):
    import copy

    from datasets import load_dataset
    from trl import SFTConfig, SFTTrainer

    from dnahlm.tasks.prompt import render_prompt

    desk.build(desk.filled())
    path = str(desk.root / "instructions" / "train.jsonl")
    rows = load_dataset("json", data_files=path, split="train", cache_dir=str(desk.root / "cache"))
    first = rows[0]
    asked = rows.map(
        lambda row: {
            "prompt": [{"role": "user", "content": f"{row['instruction']}\n\n{row['input']}"}],
            "completion": [{"role": "assistant", "content": row["output"]}],
        },
        remove_columns=rows.column_names,
    )
    config = SFTConfig(
        output_dir=str(tmp_path), max_steps=1, per_device_train_batch_size=1, report_to=[], use_cpu=True, bf16=False,
        save_strategy="no", max_length=None, disable_tqdm=True, seed=0,
    )  # fmt: skip
    model = copy.deepcopy(tiny_model)
    trainer = SFTTrainer(model=model, args=config, train_dataset=asked, processing_class=tiny_tokenizer)
    batch = trainer.data_collator([trainer.train_dataset[0]])
    taught = batch["input_ids"][batch["labels"] != -100]
    ignored = batch["input_ids"][batch["labels"] == -100]
    assert tiny_tokenizer.decode(taught) == first["output"] + tiny_tokenizer.eos_token
    assert tiny_tokenizer.decode(ignored) == render_prompt(tiny_tokenizer, first["instruction"], first["input"])
    assert trainer.train().training_loss > 0


def test_repeated_rows_are_asked_again_in_other_words(desk):
    _, splits = desk.build(desk.filled(n=40, strand_symmetric=True), repeats={"mine": 3})
    by_row = {}
    for row in splits["train"]:
        by_row.setdefault((row["source"], row["strand"]), []).append(row)
    assert len(by_row) == 80 and {len(rows) for rows in by_row.values()} == {3}
    assert len({row["id"] for row in splits["train"]}) == 240
    assert all(len({row["input"] for row in rows}) == 1 for rows in by_row.values())
    assert sum(len({row["instruction"] for row in rows}) > 1 for rows in by_row.values()) > 60
    assert len(splits["validation"]) == len(splits["test"]) == 10


def test_a_row_is_asked_first_as_it_would_be_without_repeats(desk):
    task = desk.filled(n=40)
    _, once = desk.build(task)
    _, twice = desk.build(task, output="again", repeats='{"mine": 2}')
    assert {row["id"]: row for row in once["train"]}.items() <= {row["id"]: row for row in twice["train"]}.items()


@pytest.mark.parametrize(
    ("repeats", "said"),
    [
        ({"mime": 2}, "task 'mime' is not in this build. Did you mean 'mine'"),
        ({"mine": 0}, "mine: found 0; a whole number of 1 or more"),
        ({"mine": True}, "mine: found True; a whole number"),
        ("mine=2", "a JSON object such as"),
    ],
)
def test_repeats_that_cannot_be_meant_are_refused(desk, repeats, said):
    with pytest.raises(InputError, match=said):
        desk.build(desk.filled(), repeats=repeats)
