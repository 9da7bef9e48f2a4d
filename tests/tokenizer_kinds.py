"""Small real tokenizers of other kinds than ours, for the tests of the measures."""

from itertools import product

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast


def fast(backend, **special):
    return PreTrainedTokenizerFast(tokenizer_object=backend, **special)


def three_mers():
    """Words of up to three bases; anything else is an error, for there is no unknown token."""
    words = ["".join(letters) for k in (1, 2, 3) for letters in product("ACGT", repeat=k)]
    backend = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}))
    backend.pre_tokenizer = pre_tokenizers.Split(Regex("[ACGT]{1,3}|[^ACGT]"), "isolated")
    backend.decoder = decoders.Fuse()
    return fast(backend)


def bases():
    """One token per base, an unknown token for all else."""
    backend = Tokenizer(models.WordLevel({"[UNK]": 0, "A": 1, "C": 2, "G": 3, "T": 4}, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
    backend.decoder = decoders.Fuse()
    return fast(backend, unk_token="[UNK]")


def unisolated(texts, size=600):
    """Byte-level BPE that splits nothing before its merges, so that it joins prompt and DNA."""
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    backend.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    backend.train_from_iterator(
        texts, trainers.BpeTrainer(vocab_size=size, initial_alphabet=alphabet, show_progress=False)
    )
    return fast(backend)


def byte_fallback(vocabulary, merges):
    """As Llama's: letters are entries, all other characters become bytes; a blank is put before the text."""
    entries = [f"<0x{byte:02X}>" for byte in range(256)] + vocabulary
    model = models.BPE({entry: i for i, entry in enumerate(entries)}, merges, byte_fallback=True)
    backend = Tokenizer(model)
    backend.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    backend.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return fast(backend)


def with_dead_entries():
    """Byte-level BPE whose entry `abc` no merge builds, whose entry `a b` GPT-2's split cuts apart, and `ab` is alive."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    entries = [*alphabet, "ab", "bc", "abc", "Ġb", "aĠb"]
    merges = [("a", "b"), ("b", "c"), ("a", "bc"), ("Ġ", "b"), ("a", "Ġb")]
    backend = Tokenizer(models.BPE({entry: i for i, entry in enumerate(entries)}, merges))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    backend.decoder = decoders.ByteLevel()
    return fast(backend)
