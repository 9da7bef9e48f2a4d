"""Small tokenizers in the layouts of published models: the same normalizer, splitter, model flags, decoder, ids."""

import json

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import GPT2Tokenizer, LlamaTokenizer, PreTrainedTokenizerFast, Qwen2Tokenizer

LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
TEXT = [
    "The cat sat; CAT scans and GATTACA tags were taken at 12:30, weren't they?\n\nAn actor's TATA box: ACT, TAG, NAG.",
    "It's the gene that we'll read from left to right. Déjà vu, naïve, 北京, 12345.  Two  spaces\tand tabs.",
    "def f(x):\n    return x + 1\n\n### Input:\nACGT\n### Response:\npromoter or non-promoter",
]


def trained(texts, splitter, vocab_size, alphabet, special_tokens=()):
    """Vocabulary and merges of a BPE trained on a few sentences."""
    tokenizer = Tokenizer(models.BPE(unk_token=None))
    tokenizer.pre_tokenizer = splitter
    tokenizer.train_from_iterator(
        texts * 30,
        trainers.BpeTrainer(
            vocab_size=vocab_size, initial_alphabet=list(alphabet), special_tokens=list(special_tokens),
            show_progress=False,
        ),
    )  # fmt: skip
    model = json.loads(tokenizer.to_str())["model"]
    return model["vocab"], [tuple(pair) for pair in model["merges"]]


def byte_level_vocabulary():
    """The 256 bytes and what they are merged to."""
    return trained(TEXT, pre_tokenizers.ByteLevel(add_prefix_space=False), 420, pre_tokenizers.ByteLevel.alphabet())


def gpt2():
    """GPT-2: byte-level, the end token last in the vocabulary, no pad."""
    vocab, merges = byte_level_vocabulary()
    return GPT2Tokenizer(vocab={**vocab, "<|endoftext|>": len(vocab)}, merges=merges)


def gpt2_prefix():
    """GPT-2 with `add_prefix_space`, which its decoder gives back."""
    vocab, merges = byte_level_vocabulary()
    return GPT2Tokenizer(vocab={**vocab, "<|endoftext|>": len(vocab)}, merges=merges, add_prefix_space=True)


def qwen2():
    """Qwen2: NFC, an own pattern, three added tokens behind the vocabulary, pad = end."""
    vocab, merges = byte_level_vocabulary()
    tokenizer = Qwen2Tokenizer(vocab=vocab, merges=merges)
    tokenizer.add_tokens([AddedToken(f"<|im_{name}|>", special=True) for name in ("start", "end")])
    return tokenizer


def llama3():
    """Llama 3: byte-level with an own pattern, whole words looked up first, many added tokens behind the vocabulary."""
    vocab, merges = byte_level_vocabulary()
    vocab["Ġunreachable"] = len(vocab)  # no merge makes it: only looking whole words up does
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=merges, ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(LLAMA3), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    names = ["<|begin_of_text|>", "<|end_of_text|>", *(f"<|reserved_special_token_{i}|>" for i in range(20))]
    tokenizer.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in names])
    start = tokenizer.token_to_id(names[0])
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{names[0]} $A", pair=f"{names[0]} $A {names[0]} $B", special_tokens=[(names[0], start)]
    )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token=names[0], eos_token=names[1])


def sentencepiece_vocabulary():
    """Unknown, start, end, the 256 byte tokens, then pieces with ▁ for a blank."""
    special = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    splitter = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="first", split=True)
    # No piece holds a newline: it becomes a byte token, as in the published ones.
    return trained([text.replace("\n", " ") for text in TEXT], splitter, 620, "ACGTN", special)


def llama2():
    """Llama 2 as transformers 5 opens it: Metaspace before the first word only, bytes as a last resort."""
    vocab, merges = sentencepiece_vocabulary()
    return LlamaTokenizer(vocab=vocab, merges=merges)


def llama2_normalizer():
    """Llama 2 and Mistral as their files say it: the blank is replaced by normalizers, nothing is split."""
    vocab, merges = sentencepiece_vocabulary()
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in ("<unk>", "<s>", "</s>")])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)]
    )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", unk_token="<unk>")


BASES = {
    "gpt2": gpt2, "gpt2_prefix": gpt2_prefix, "qwen2": qwen2, "llama3": llama3, "llama2": llama2,
    "llama2_normalizer": llama2_normalizer,
}  # fmt: skip
