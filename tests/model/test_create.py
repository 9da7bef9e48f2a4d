import pytest

from dnahlm.io import InputError
from dnahlm.model.create import ModelArguments, create_model
from dnahlm.model.isolation import TOLERANCE, packing_leak

SHAPE = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}


def model_of(tokenizer, model_type, overrides=None):
    return create_model(ModelArguments(model_type=model_type, config_overrides=overrides, **SHAPE), tokenizer, 64)


def test_overrides_reach_the_config_from_a_mapping_and_from_json(tiny_tokenizer):
    for overrides in ({"conv_L_cache": 5, "full_attn_idxs": [1]}, '{"conv_L_cache": 5, "full_attn_idxs": [1]}'):
        config = model_of(tiny_tokenizer, "lfm2", overrides).config
        assert config.conv_L_cache == 5 and config.layer_types == ["conv", "full_attention"]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"conv_L_cash": 5}, "a lfm2 config has no 'conv_L_cash'. Did you mean 'conv_L_cache'"),
        ({"conv_L_cache": "five"}, "its config refuses these settings .*conv_L_cache"),
        ("conv_L_cache=5", "a JSON object such as"),
        ("[5]", "a JSON object such as"),
    ],
)
def test_an_override_that_would_do_nothing_or_break_is_refused(tiny_tokenizer, overrides, message):
    with pytest.raises(InputError, match=message) as refused:
        model_of(tiny_tokenizer, "lfm2", overrides)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("wrong", [{"hidden_size": -32}, {"num_hidden_layers": 0}, {"num_attention_heads": 3}])
def test_a_shape_no_model_has_is_refused(tiny_tokenizer, wrong):
    with pytest.raises(InputError, match="must be a multiple of num_attention_heads"):
        create_model(ModelArguments(**{**SHAPE, **wrong}), tiny_tokenizer, 64)


@pytest.mark.parametrize("rate", [-0.1, 1.0, float("nan")])
def test_a_dropout_that_is_no_share_is_refused(tiny_tokenizer, rate):
    with pytest.raises(InputError, match=r"dropout: found .*from 0 to below 1"):
        create_model(ModelArguments(**SHAPE, dropout=rate), tiny_tokenizer, 64)


@pytest.mark.parametrize("model_type", ["gpt2", "llama", "qwen3"])
def test_packed_documents_do_not_see_each_other_under_attention(tiny_tokenizer, model_type):
    assert packing_leak(model_of(tiny_tokenizer, model_type)) < 1e-5


def test_a_leak_between_packed_documents_is_measured_where_convolutions_make_one(tiny_tokenizer):
    overrides = {"full_attn_idxs": [1], "initializer_range": 0.3}
    assert packing_leak(model_of(tiny_tokenizer, "lfm2", overrides)) > TOLERANCE
