"""What English costs a model: bits per byte, before and after its vocabulary grows."""

import math
from collections.abc import Iterable

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from dnahlm.model.partition import whole
from dnahlm.tokenizer.load import token_ids

SAMPLE_BYTES = 16_384  # of English: enough to see a change, seconds for a small model on a CPU
LONGEST_WINDOW = 512  # tokens; longer ones only take longer


@torch.no_grad()
def bits_per_byte(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    texts: list[str],
    n_tokens: int,
    window: int,
    gather: bool = True,
) -> dict[str, float]:
    """Bits per UTF-8 byte of texts, cut into windows that do not see each other.

    Args:
        model: float32, on any device.
        tokenizer: the model's; every window starts with its start token, or its end token where it has none.
        texts: plain texts.
        n_tokens: the ids below it are those of the old vocabulary.
        window: T tokens a window holds, its start token included; for two figures to compare, the same for both.
        gather: bring weights that ZeRO-3 parted together; False once an engine does that, layer by layer.

    Returns:
        `all_tokens`: the model's own loss. `old_tokens`: with the probabilities shared out among the first `n_tokens`
        ids only, which a vocabulary that has grown must leave as it was; NaN where a text needs a later id.
    """
    start = tokenizer.eos_token_id if tokenizer.bos_token_id is None else tokenizer.bos_token_id
    was_training = model.training
    model.eval()
    sums = {"all_tokens": 0.0, "old_tokens": 0.0}
    with whole(model.parameters() if gather else ()):
        for ids in token_ids(tokenizer, texts):
            for piece in torch.tensor(ids).split(window - 1):
                inputs = torch.cat([torch.tensor([start]), piece])[None].to(model.device)
                logits = model(input_ids=inputs, use_cache=False).logits[0, :-1].double()  # (T, V)
                chosen = logits.gather(1, inputs[0, 1:, None])
                sums["all_tokens"] += (logits.logsumexp(1, keepdim=True) - chosen).sum().item()
                among = (logits[:, :n_tokens].logsumexp(1, keepdim=True) - chosen).sum().item()
                sums["old_tokens"] += among if int(piece.max()) < n_tokens else math.nan
    model.train(was_training)
    n_bytes = sum(len(text.encode()) for text in texts)
    return {name: value / math.log(2) / n_bytes for name, value in sums.items()}


def sample(texts: Iterable[str], n_bytes: int = SAMPLE_BYTES) -> list[str]:
    """The first texts, until they are `n_bytes` long; the last one whole.

    >>> sample(["abc", "de", "f"], 4)
    ['abc', 'de']
    """
    chosen: list[str] = []
    size = 0
    for text in texts:
        if size >= n_bytes:
            break
        if text:
            chosen.append(text)
            size += len(text.encode())
    return chosen
