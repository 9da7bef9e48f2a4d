"""An evaluation folder as `dnahlm evaluate` leaves it: figures computed from made-up answers to made-up rows."""

import json

import numpy as np
import pyarrow
import pyarrow.parquet
from sklearn.metrics import average_precision_score

from dnahlm.evaluation.metrics import confusion, measure

TWO = ["non-promoter", "promoter"]
THREE = ["donor", "acceptor", "neither"]
BASELINES = {"majority": 0.0, "kmer_lr": 1.0, "markov": 0.8, "cnn": 1.4}


def letters(rng, n):
    return "".join(rng.choice(list("ACGT"), n))


def chances(rng, right, k, signal, temperature=1.0):
    """Probabilities (N, K) that point to the right answer with a strength of `signal`."""
    logits = rng.normal(size=(len(right), k))
    logits[np.arange(len(right)), right] += signal
    logits /= temperature
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shares / shares.sum(axis=1, keepdims=True)


def figures(predicted, references, answers, p):
    values = measure(predicted, references, answers, p)
    truth = np.array([answers.index(r) for r in references])
    for name in ("auprc", "brier", "ece"):
        values[name] = None
    if p is not None:
        hot = np.eye(len(answers))[truth]
        values["auprc"] = float(np.mean([average_precision_score(hot[:, k], p[:, k]) for k in range(1, p.shape[1])]))
        values["brier"] = float(((p - hot) ** 2).sum(axis=1).mean())
        sure, hit = p.max(axis=1), p.argmax(axis=1) == truth
        bins = np.minimum((sure * 10).astype(int), 9)
        gaps = [(bins == b).sum() * abs(sure[bins == b].mean() - hit[bins == b].mean()) for b in np.unique(bins)]
        values["ece"] = float(sum(gaps) / len(sure))
    return values


def intervals(values, n):
    """About as wide as a bootstrap's; the report shows intervals, it does not compute them."""
    half = 1 / np.sqrt(n)
    return {k: None if v is None else [v - half, v + half] for k, v in values.items() if k not in ("brier", "ece")}


def write_task(folder, model, name, answers=TWO, n=300, signal=1.5, bases=(70, 70), seed=0, flagged=True, **more):
    """One entry of report.json, its predictions written; the rows hang on the task's name, the answers on `seed`."""
    rows = np.random.default_rng(sum(map(ord, name)))
    rng = np.random.default_rng([seed, *map(ord, name)])
    right = rows.integers(0, len(answers), n)
    lengths = rows.integers(bases[0], bases[1] + 1, n)
    inputs = [letters(rows, length) for length in lengths]
    clean = (rows.random(n) > 0.1).tolist() if flagged else [None] * n
    references = [answers[r] for r in right]
    ways = {"scored": signal, "held_out": 0.9 * signal, "label_words": 0.6 * signal, "few_shot_2": 0.8 * signal,
            "shuffled": 0.2 * signal, "no_dna": 0.0, "option_order": 0.95 * signal, "strands": 1.1 * signal}  # fmt: skip
    p = {way: chances(rng, right, len(answers), s, more.get("temperature", 0.6)) for way, s in ways.items()}
    p |= {way: chances(rows, right, len(answers), s) for way, s in BASELINES.items()}
    p["majority"] = np.tile(np.bincount(right, minlength=len(answers)) / n, (n, 1))
    predicted = {way: [answers[k] for k in shares.argmax(axis=1)] for way, shares in p.items()}
    wandering = rng.random(n) < 0.04
    texts = [f"{a} or so {a}" if lost else a for a, lost in zip(predicted["scored"], wandering, strict=True)]
    predicted["generated"] = [None if lost else a for a, lost in zip(predicted["scored"], wandering, strict=True)]
    columns = {
        "id": [f"{name}-test-{i}" for i in range(n)], "label": right.astype(str).tolist(), "answer": references,
        "clean": pyarrow.array(clean, pyarrow.bool_()), "bases": lengths.tolist(), "input": inputs,
        "generated": texts, "stopped": (~wandering).tolist(),
    }  # fmt: skip
    listed = pyarrow.list_(pyarrow.float64(), len(answers))
    for way, said in predicted.items():
        columns[f"predicted_{way}"] = pyarrow.array(said, pyarrow.string())
        if way in p:
            columns[f"p_{way}"] = pyarrow.array(p[way].tolist(), listed)
    path = folder / "predictions" / model / f"{name}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    pyarrow.parquet.write_table(pyarrow.table(columns), path)

    def measured(numbers):
        picked = {w: [said[i] for i in numbers] for w, said in predicted.items()}
        told = [references[i] for i in numbers]
        shares = {w: p[w][numbers] if w in p else None for w in picked}
        values = {w: figures(picked[w], told, answers, shares[w]) for w in picked}
        return {"metrics": values, "intervals": {w: intervals(v, len(told)) for w, v in values.items()}}

    kept = [i for i, flag in enumerate(clean) if flag]
    hits = [i for i in range(n) if predicted["scored"][i] == references[i]]
    entry = {
        "model": model, "task": name, "description": f"Is it <b>{answers[-1]}</b>?", "citation": "Someone et al. & others",
        "simulated": False, "kind": "classification", "headline_metrics": ["mcc", "accuracy"], "answers": answers,
        "n": n, "n_available": 2 * n, "counts": {a: references.count(a) for a in answers},
        "min_bases": int(lengths.min()), "max_bases": int(lengths.max()), "status": "seen task, unseen rows",
        "calibration": {"temperature": 1.2, "rows": 400}, **measured(range(n)),
        "clean": {"n": len(kept), **measured(kept)} if flagged else None,
        "confusion": {w: confusion(predicted[w], references, answers) for w in ("scored", "generated")},
        "invalid_share": float(wandering.mean()), "n_scored_right": len(hits),
        "exact_match_given_scored_right": sum(not wandering[i] for i in hits) / len(hits) if hits else None,
        "substring_accuracy": len(hits) / n + 0.03, "strand_agreement": 0.93, "phrasing_agreement": 0.95,
        "zero_shot": {"unseen_rows": "scored", "unseen_phrasing": "held_out", "unseen_label_words": "label_words",
                      "unseen_task": None},
        "n_baseline_train": 1000,
    }  # fmt: skip
    return entry | {key: value for key, value in more.items() if key != "temperature"}


def model_entry(name):
    return {
        "name": name, "path": f"runs/{name}/sft", "type": "gpt2", "parameters": 5_130_000, "tuned": "2026-01-01T09:00:00",
        "tuned_seed": int(name[1:]), "sha256": f"{name}{'0123456789abcdef' * 4}"[:64], "template": "own",
    }  # fmt: skip


def make_report(entries, summary=()):
    return {
        "created": "2026-01-01T10:00:00+00:00",
        "command": "dnahlm evaluate --model runs/m1/sft --suite smoke --output runs/tiny/eval --seed 0",
        "seed": 0, "suite": {"name": "smoke", "description": "every task", "split": "test"},
        "instructions": "runs/tiny/instructions", "models": [model_entry(m) for m in dict.fromkeys(e["model"] for e in entries)],
        "hardware": {"cpus": 2, "threads": 1, "device": "cpu"}, "versions": {"python": "3.12.0", "torch": "2.13.0"},
        "git_commit": "0123456789ab", "seconds": 12.0, "n_bootstrap": 60, "tasks": list(entries), "summary": list(summary),
        "loss": [
            {"name": "pretrain", "path": "runs/m1/pretrain",
             "series": {"loss": [[10, 4.0], [20, 3.0]], "eval_dna_loss": [[20, 3.2]]}},
            {"name": "sft", "path": "runs/m1/sft", "series": {"loss": [[10, 0.7]]}},
        ],
    }  # fmt: skip


def means(entries):
    """The summary over models, from their entries."""
    lines = []
    for task in dict.fromkeys(e["task"] for e in entries):
        own = [e for e in entries if e["task"] == task]
        for way in own[0]["metrics"]:
            for name in own[0]["metrics"][way]:
                values = [e["metrics"][way][name] for e in own]
                if None not in values:
                    lines.append({"task": task, "way": way, "metric": name, "models": [e["model"] for e in own],
                                  "mean": float(np.mean(values)), "sd": float(np.std(values, ddof=1))})  # fmt: skip
    return lines


def write_evaluation(folder, models=1, **tasks):
    """A whole folder with report.json and predictions, without report.md and report.html; returns the report."""
    entries = [
        write_task(folder, f"m{m}", name, **{"seed": m, **settings})
        for m in range(1, models + 1)
        for name, settings in tasks.items()
    ]
    report = make_report(entries, means(entries) if models > 1 else ())
    (folder / "report.json").write_text(json.dumps(report))
    return report
