import random
from itertools import product

import numpy as np
import pytest
from published_layouts import BASES
from tokenizer_kinds import three_mers

from dnahlm.dna import reverse_complement
from dnahlm.inference.calibrate import calibrated
from dnahlm.inference.classify import classify, task_record
from dnahlm.inference.ensemble import member_probabilities, members
from dnahlm.inference.predict import PredictConfig, run
from dnahlm.inference.scorer import score
from dnahlm.inference.segmentations import cutter, drawn_ids
from dnahlm.io import InputError
from dnahlm.tasks.kinds import with_dna
from dnahlm.tasks.prompt import fill_phrasing, render_prompts
from dnahlm.tasks.spec import answers
from dnahlm.tokenizer.bpe import assemble, split_pieces
from dnahlm.tokenizer.extend import extend
from dnahlm.tokenizer.wrap import wrap

SEQUENCES = ["".join(random.Random(i).choices("ACGT", k=40 + i)) for i in range(4)]


def records(spec):
    return [task_record(spec, sequence) for sequence in SEQUENCES]


def test_phrasings_are_each_asked_once_and_averaged(loaded):
    spec = loaded.tasks["splice_site"]
    each = []
    for phrasing in spec.phrasings:
        prompts = render_prompts(loaded.tokenizer, [fill_phrasing(phrasing, answers(spec))] * len(SEQUENCES), SEQUENCES)
        each.append(calibrated(loaded, spec, score(loaded.model, loaded.tokenizer, prompts, answers(spec))))
    found = member_probabilities(loaded, spec, records(spec), ["phrasings"])
    np.testing.assert_allclose(found, each, atol=1e-5)
    np.testing.assert_allclose(
        classify(loaded, spec, SEQUENCES, ensemble=["phrasings"]), np.mean(each, axis=0), atol=1e-5
    )
    assert np.abs(found - found[0]).max() > 1e-3


def test_strands_and_phrasings_are_asked_in_every_combination(loaded):
    spec = loaded.tasks["core_promoter"]
    found = member_probabilities(loaded, spec, records(spec), ["strands", "phrasings"])
    assert found.shape == (16, 4, 2)
    back = [task_record(spec, reverse_complement(sequence)) for sequence in SEQUENCES]
    np.testing.assert_allclose(found[8:], member_probabilities(loaded, spec, back, ["phrasings"]), atol=1e-5)


def test_no_ensemble_asks_the_record_as_it_is(loaded):
    spec = loaded.tasks["core_promoter"]
    asked = [{"instruction": "What is this?", "input": sequence} for sequence in SEQUENCES]
    prompts = render_prompts(loaded.tokenizer, ["What is this?"] * 4, SEQUENCES)
    expected = calibrated(loaded, spec, score(loaded.model, loaded.tokenizer, prompts, answers(spec)))
    np.testing.assert_allclose(member_probabilities(loaded, spec, asked, []), [expected], atol=1e-5)
    assert member_probabilities(loaded, spec, [], []).shape == (1, 0, 2)


def test_segmentations_are_other_tokens_of_the_same_text_and_come_out_the_same_again(tiny_tokenizer):
    dropout = cutter(tiny_tokenizer)
    (prompt,) = render_prompts(tiny_tokenizer, ["Is this a promoter?"], ["ACGTTGCA" * 12])
    usual = tiny_tokenizer(prompt, add_special_tokens=False)["input_ids"]
    drawn = [drawn_ids(dropout, prompt, usual, number) for number in (1, 2, 3)]
    assert drawn == [drawn_ids(dropout, prompt, usual, number) for number in (1, 2, 3)]
    assert len({tuple(ids) for ids in [usual, *drawn]}) == 4
    assert all(tiny_tokenizer.decode(ids) == tiny_tokenizer.decode(usual) for ids in drawn)
    start = next(i for i, (a, b) in enumerate(zip(usual, drawn[0], strict=False)) if a != b)
    assert "ACGT" not in tiny_tokenizer.decode(usual[: start - 1])  # the question is cut as always


def test_segmentations_change_the_answer_a_little(loaded):
    spec = loaded.tasks["splice_site"]
    found = member_probabilities(loaded, spec, records(spec), ["segmentations"])
    np.testing.assert_allclose(found[:1], member_probabilities(loaded, spec, records(spec), []), atol=1e-5)
    assert found.shape[0] == 4 and np.abs(found - found[0]).max() > 1e-4


def kmers():
    """K-mers of `dnahlm tokenizer train`: a BPE whose DNA tokens no merge builds."""
    return wrap(assemble([], split_pieces(8, "(?:[ACGT]{3}|[ACGTN])"), ["".join(w) for w in product("ACGT", repeat=3)]))


def extended_gpt2():
    """GPT-2's layout with DNA tokens added: each is cut out before any merge."""
    return extend(BASES["gpt2"](), ["".join(w) for w in product("ACGT", repeat=3)], 90, 8, "gpt2")


@pytest.mark.parametrize(
    ("make", "kind"), [(three_mers, "WordLevel"), (kmers, "BPE"), (extended_gpt2, "BPE")], ids=lambda m: str(m)[:20]
)
def test_a_tokenizer_with_one_way_to_cut_is_refused(make, kind):
    with pytest.raises(InputError, match=rf"segmentations need a tokenizer that builds .* \({kind}\) cuts .* one way"):
        cutter(make())


def test_strands_of_a_task_with_a_direction_and_unknown_kinds_are_refused(loaded):
    with pytest.raises(InputError, match="has a direction"):
        members(loaded.tasks["splice_site"], ["strands"])
    with pytest.raises(InputError, match="found strand; allowed: strands, phrasings, segmentations"):
        members(loaded.tasks["core_promoter"], ["strand"])


def test_the_other_strand_of_a_pair_reverses_its_dna_and_keeps_a_protein():
    assert with_dna("AACG", reverse_complement) == "CGTT"
    pair = with_dna("Reference: AACG\nAlternative: AACC", reverse_complement)
    assert pair == "Reference: CGTT\nAlternative: GGTT"
    assert with_dna("DNA: AACG\nProtein: MKV", reverse_complement) == "DNA: CGTT\nProtein: MKV"


def test_predict_says_in_how_many_ways_it_asked_and_none_asks_once(tuned_folder, tmp_path, capsys):
    (tmp_path / "x.csv").write_text("sequence\n" + "\n".join(SEQUENCES) + "\n")

    def ask(*ensemble):
        run(PredictConfig(str(tuned_folder), "core_promoter", str(tmp_path / "x.csv"), str(tmp_path / "o.csv"),
                          ensemble=list(ensemble), overwrite=True))  # fmt: skip
        return capsys.readouterr().out

    assert "mean of 64 ways to ask (strands, phrasings, segmentations)" in ask("strands", "phrasings", "segmentations")
    assert "strand as given" in ask("none")
