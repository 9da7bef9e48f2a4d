"""Vocabulary surgery: give a pretrained checkpoint the embedding rows of another tokenizer, or a longer context."""

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from dnahlm.config import did_you_mean
from dnahlm.io import InputError
from dnahlm.model.create import set_special_ids
from dnahlm.model.partition import whole
from dnahlm.tokenizer.load import token_ids
from dnahlm.tokenizer.marked_pieces import MARK
from dnahlm.tokenizer.measures.encoder import Encoder
from dnahlm.tokenizer.measures.reachable import as_text
from dnahlm.tokenizer.measures.vocabulary import entries

NEW_TOKEN_INITS = ("subtoken_mean", "mean", "random")
NOISE = 0.1  # of the old rows' standard deviation: no two rows start equal


@torch.no_grad()
def transplant(
    model: PreTrainedModel,
    old: PreTrainedTokenizerFast,
    new: PreTrainedTokenizerFast,
    new_token_init: str = "subtoken_mean",
    seed: int = 0,
) -> dict[str, int]:
    """Replace the rows of `old` in embedding and head (weight, and bias if it has one) by rows for `new`, in place.

    A token both vocabularies have keeps its rows to the bit; a special token whose name is new takes those of the old
    token of its role. (Resizing with transformers would keep row i for id i, whatever token i now is.) Rows that the
    checkpoint has beyond its tokenizer, as Qwen's, are dropped. A tied head stays tied. All special ids are set, those
    of the generation config too.

    Args:
        model: any causal model whose input embedding is (V, D), V at least the number of ids of `old`.
        old: the tokenizer the checkpoint was trained with.
        new: the tokenizer it will be trained with, V_new ids.
        new_token_init: how any other row starts: `subtoken_mean`, the mean of the rows its text has under `old`, or
            `mean`, that of all rows, both plus normal noise of a tenth of the old rows' standard deviation; `random`,
            normal with that standard deviation. A bias starts at the same mean, without noise (`random`: at 0).
        seed: draws the noise.

    Returns:
        counts: `shared` and `new` rows.

    Raises:
        InputError: fewer rows than `old` has ids, or an unknown `new_token_init`.
    """
    if new_token_init not in NEW_TOKEN_INITS:
        raise InputError(f"new_token_init: found {new_token_init!r}. {did_you_mean(new_token_init, NEW_TOKEN_INITS)}")
    n_old, n_new = n_ids(old), n_ids(new)
    origins = origins_of(old, new)
    before = rows_of(model)
    with whole(before.values()):
        rows = before["embedding"].shape[0]
        if rows < n_old:
            raise InputError(
                f"{model.name_or_path or 'the model'}: has {rows:,} embedding rows, but its tokenizer {n_old:,} ids, "
                "so the two do not belong together. Copy the tokenizer files this model was trained with."
            )
        sources = {name: weight[:n_old].detach().clone() for name, weight in before.items()}
    model.resize_token_embeddings(n_new, mean_resizing=False)
    after = rows_of(model)
    generator = torch.Generator().manual_seed(seed)
    with whole(after.values()):
        for name, weight in after.items():
            weight.copy_(fill(sources[name], origins, new_token_init, generator))
    set_special_ids(model, new)
    shared = sum(isinstance(origin, int) for origin in origins)
    return {"shared": shared, "new": n_new - shared}


def n_ids(tokenizer: PreTrainedTokenizerFast) -> int:
    """Rows a tokenizer needs: its highest id + 1, which is more than its entries where some ids are not used."""
    return max(tokenizer.get_vocab().values()) + 1


def rows_of(model: PreTrainedModel) -> dict[str, torch.nn.Parameter]:
    """What has one row per token: `embedding` (V, D), `head` (V, D) if it is not tied, `bias` (V,) of a head if any."""
    embedding, head = model.get_input_embeddings(), model.get_output_embeddings()
    found = {"embedding": embedding.weight}
    if head is not None and head.weight is not embedding.weight:
        found["head"] = head.weight
    if getattr(head, "bias", None) is not None:
        found["bias"] = head.bias
    return found


def origins_of(old: PreTrainedTokenizerFast, new: PreTrainedTokenizerFast) -> list[int | list[int]]:
    """For each id of `new`: the old id whose rows it keeps, or the old ids of its text, none for a special token."""
    vocabulary = old.get_vocab()
    known, contents = contents_of(old), contents_of(new)
    single = {content: vocabulary[token] for token, content in known.items() if len(content) == 1}
    # Not the pad token: with the rows of an end token, which it often was, a model would generate it.
    roles = {getattr(new, f"{role}_token"): getattr(old, f"{role}_token_id") for role in ("unk", "bos", "eos")}
    no_text = {None, MARK, *(str(token) for token in new.added_tokens_decoder.values() if token.special)}
    tokens: list[str | None] = [None] * n_ids(new)
    for token, number in new.get_vocab().items():
        tokens[number] = token
    origins: list[int | list[int]] = []
    for token in tokens:
        if token in known and known[token] == contents[token]:
            origins.append(vocabulary[token])
        elif roles.get(token) is not None:
            origins.append(roles[token])
        else:
            origins.append([] if token in no_text else ids_within(old, contents[token], single))
    return origins


def contents_of(tokenizer: PreTrainedTokenizerFast) -> dict[str, bytes]:
    """Token -> the bytes it stands for: é is one letter in SentencePiece, a byte of another one in byte-level BPE."""
    return {entry.token: entry.content for entry in entries(Encoder(tokenizer, tokenizer.name_or_path))}


def ids_within(tokenizer: PreTrainedTokenizerFast, content: bytes, single: dict[bytes, int]) -> list[int]:
    """Ids of a text as it stands inside a longer one, without the blank that Llama puts before a first word.

    Args:
        tokenizer: gives the ids.
        content: UTF-8, or a part of a character, which no text holds: then the ids of its bytes, where it has any.
        single: byte -> id.
    """
    text = as_text(content)
    if text is None:
        return [single[content[i : i + 1]] for i in range(len(content)) if content[i : i + 1] in single]
    start, both, alone = token_ids(tokenizer, ["\n", "\n" + text, text])
    return both[len(start) :] if both[: len(start)] == start else alone


def fill(
    source: torch.Tensor, origins: list[int | list[int]], new_token_init: str, generator: torch.Generator
) -> torch.Tensor:
    """Rows (V_new, D) for the new vocabulary out of the old ones (V, D); without D, of a bias."""
    kept = [(row, origin) for row, origin in enumerate(origins) if isinstance(origin, int)]
    rows = source.new_empty(len(origins), *source.shape[1:])
    rows[[row for row, _ in kept]] = source[[origin for _, origin in kept]]
    is_bias = source.dim() == 1
    center, std = source.mean(dim=0), 0.0 if is_bias else source.float().std().item()
    for row, origin in enumerate(origins):
        if isinstance(origin, int):
            continue
        noise = std * torch.randn(rows[row].shape, generator=generator)
        if new_token_init == "random":
            rows[row] = noise
        else:
            start = source[origin].mean(dim=0) if origin and new_token_init == "subtoken_mean" else center
            rows[row] = start + NOISE * noise.to(start)
    return rows
