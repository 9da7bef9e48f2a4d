import pytest
import torch

from dnahlm.io import InputError
from dnahlm.model.base_rows import start_from_bases
from dnahlm.model.create import ModelArguments, create_model
from dnahlm.tokenizer.load import load_tokenizer
from dnahlm.tokenizer.overlapping import AFTER, OWN
from dnahlm.tokenizer.train import TokenizerConfig, run
from dnahlm.training.start import from_scratch

SHAPE = {"hidden_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}


@pytest.fixture(scope="module")
def tokenizer(world, tmp_path_factory):
    folder = tmp_path_factory.mktemp("base_rows") / "t"
    run(TokenizerConfig(f"{world}/corpus", str(folder), kind="kmer_overlapping", k=4, vocab_size=900))
    return load_tokenizer(folder)


def rows_of(tokenizer, **settings):
    torch.manual_seed(0)
    args = ModelArguments(dna_token_init="bases", **SHAPE, **settings)
    weight = from_scratch(args, tokenizer, 64).get_input_embeddings().weight.detach()
    return lambda word: weight[tokenizer.convert_tokens_to_ids(OWN[word[0]] + "".join(AFTER[b] for b in word[1:]))]


def test_tokens_that_share_bases_start_alike_in_the_measure_they_share_them(tokenizer):
    row = rows_of(tokenizer)
    alike = [torch.cosine_similarity(row("GATA"), row(word), dim=0).item() for word in ("GATC", "GACC", "CGCC")]
    assert alike[0] > alike[1] + 0.05 and alike[1] > alike[2] + 0.2, alike


def test_no_two_rows_start_equal(tokenizer):
    torch.manual_seed(0)
    model = create_model(ModelArguments(**SHAPE), tokenizer, 64)
    start_from_bases(model, tokenizer, 0.3)
    assert len(model.get_input_embeddings().weight.unique(dim=0)) == len(tokenizer)


def test_a_pad_row_that_no_gradient_reaches_stays_zero(tokenizer):
    model = from_scratch(ModelArguments(dna_token_init="bases", model_type="llama", **SHAPE), tokenizer, 64)
    rows = model.get_input_embeddings()
    assert rows.padding_idx == tokenizer.pad_token_id and not rows.weight[rows.padding_idx].any()


def test_rows_have_the_standard_deviation_asked_for_whatever_they_stand_for(tokenizer):
    row = rows_of(tokenizer, embedding_std=0.5)
    for word in ("G", "GA", "GATA"):
        assert 0.35 < row(word).std() < 0.7


def test_the_head_of_a_tied_model_starts_with_the_same_rows(tokenizer):
    model = from_scratch(ModelArguments(dna_token_init="bases", **SHAPE), tokenizer, 64)
    assert model.get_output_embeddings().weight is model.get_input_embeddings().weight


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"dna_token_init": "base"}, "dna_token_init: found .base.*bases"),
        ({"embedding_std": 0.0}, "embedding_std: found 0; must be above 0"),
        ({"embedding_std": float("nan")}, "embedding_std: found nan"),
    ],
)
def test_a_start_that_is_none_is_refused(tokenizer, settings, message):
    with pytest.raises(InputError, match=message):
        from_scratch(ModelArguments(**SHAPE, **settings), tokenizer, 64)
