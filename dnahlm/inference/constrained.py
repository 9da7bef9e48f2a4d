"""A trie of the options' tokens, so that free generation can write one of them and nothing else."""

from collections.abc import Callable

import torch

from dnahlm.inference.batches import Ids

Trie = dict[int, "Trie"]


def trie_of(options: list[Ids], eos: int) -> Trie:
    """The tokens that may follow each other: every path ends with EOS and is one option.

    >>> trie_of([[5], [5, 6]], eos=0)
    {5: {0: {}, 6: {0: {}}}}
    """
    root: Trie = {}
    for option in options:
        node = root
        for token in [*option, eos]:
            node = node.setdefault(token, {})
    return root


def allowed_tokens(tries: list[Trie], width: int, pad: int) -> Callable[[int, torch.Tensor], Ids]:
    """What transformers calls `prefix_allowed_tokens_fn`, for B rows.

    Args:
        tries: of each row's options, with EOS.
        width: T, tokens of every padded prompt.
        pad: written behind the EOS of rows that are done.
    """

    def allowed(row: int, ids: torch.Tensor) -> Ids:
        node = tries[row]
        for token in ids[width:].tolist():
            node = node.get(token, {})
        return list(node) or [pad]

    return allowed
