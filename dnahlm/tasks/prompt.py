"""The one place that renders a prompt: question and DNA in, the text and the token ids a model sees out.

The text itself comes from the chat template the tokenizer carries (`data_templates/prompts/alpaca.jinja`), so that
training, scoring, chat and every other program that calls `apply_chat_template` see the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING

from dnahlm.io import InputError
from dnahlm.tokenizer.wrap import chat_template

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

BLANK_LINE = "\n\n"
OPTIONS_FIELD = "{options}"
BATCH = 4096  # texts per library call; the library needs about 100 bytes of memory a token while it works


def user_content(instruction: str, input: str) -> str:
    r"""The user message: instruction, blank line, input. The chat template parts it again at the first blank line.

    Raises:
        InputError: no instruction, or a blank line inside it (the rest of it would be taken for the input).

    >>> user_content("Is this a promoter?", "ACGT")
    'Is this a promoter?\n\nACGT'
    """
    instruction, input = instruction.strip(), input.strip()
    if not instruction:
        raise InputError("the instruction is empty: ask something, for example 'Is this DNA sequence a promoter?'.")
    if BLANK_LINE in instruction:
        raise InputError(
            f"the instruction {instruction[:60]!r} has a blank line inside, where the input would begin. Remove it."
        )
    return f"{instruction}{BLANK_LINE}{input}" if input else instruction


def render_prompt(tokenizer: PreTrainedTokenizerFast, instruction: str, input: str) -> str:
    """The text a model sees before its answer, up to and including `### Response:` and one newline."""
    return render_prompts(tokenizer, [instruction], [input])[0]


def render_prompts(tokenizer: PreTrainedTokenizerFast, instructions: Sequence[str], inputs: Sequence[str]) -> list[str]:
    """`render_prompt` for N pairs at once; the order is kept.

    Raises:
        InputError: as `user_content`, and for a question that spells out a token the template sets itself.
    """
    for text in chain(instructions, inputs):
        refuse_reserved(tokenizer, text)
    pairs = zip(instructions, inputs, strict=True)
    prompts: list[str] = []
    while batch := [[{"role": "user", "content": user_content(*pair)}] for pair in islice(pairs, BATCH)]:
        prompts += tokenizer.apply_chat_template(batch, tokenize=False, add_generation_prompt=True)
    return prompts


def refuse_reserved(tokenizer: PreTrainedTokenizerFast, text: str) -> None:
    """Raise `InputError` for a text with the start, end or pad token in it: every program would read it as that token.

    A question would then stop, or start over, where its author did not mean it.
    """
    for token in (tokenizer.bos_token, tokenizer.eos_token, tokenizer.pad_token):
        if token is not None and token in text:
            raise InputError(
                f"{text[:60]!r} holds {token!r}, which the tokenizer reads as the start, end or pad token, not as "
                "letters. Take it out, or write it with a blank inside."
            )


def render_text(instruction: str, input: str) -> str:
    r"""The prompt of the shipped chat template, without a tokenizer; for people to read.

    >>> render_text("Is this a promoter?", "ACGT")[-69:]
    '### Instruction:\nIs this a promoter?\n\n### Input:\nACGT\n\n### Response:\n'
    """
    from transformers.utils.chat_template_utils import render_jinja_template

    chat = [{"role": "user", "content": user_content(instruction, input)}]
    rendered, _ = render_jinja_template([chat], chat_template=chat_template(), add_generation_prompt=True, eos_token="")
    return rendered[0]


def fill_phrasing(phrasing: str, options: Sequence[str]) -> str:
    """Put the possible answers, in the given order, where `{options}` stands.

    >>> fill_phrasing("Answer {options}.", ["donor", "acceptor", "neither"])
    'Answer donor, acceptor or neither.'
    >>> fill_phrasing("Answer {options}.", ["yes", "no"])
    'Answer yes or no.'
    """
    listed = f"{', '.join(options[:-1])} or {options[-1]}" if len(options) > 1 else "".join(options)
    return phrasing.replace(OPTIONS_FIELD, listed)


def encode(
    tokenizer: PreTrainedTokenizerFast, prompts: Sequence[str], completions: Sequence[str]
) -> tuple[list[list[int]], list[list[int]]]:
    """Token ids of N prompts and of the N answers that follow them; each answer ends with the end-of-text id.

    Nothing else is added (no start token). `prompt ids + completion ids` are the ids of the joined text.

    Raises:
        InputError: an empty answer, or a token that reaches over the end of a prompt, so that prompt and answer cannot
            be told apart.
    """
    # Many prompts come once per possible answer: each is tokenised once.
    unique = list(dict.fromkeys(prompts))
    prompt_ids = dict(zip(unique, token_ids_of(tokenizer, unique), strict=True))
    # Prompts with the same last paragraph meet an answer in the same way: one check of whole texts for all of them.
    answer_ids: dict[tuple[str, str], list[int]] = {}
    encoded = []
    for prompt, completion in zip(prompts, completions, strict=True):
        meeting = (prompt[max(prompt.rfind(BLANK_LINE), 0) :], completion)
        if meeting not in answer_ids:
            answer_ids[meeting] = completion_ids(tokenizer, prompt, prompt_ids[prompt], completion)
        encoded.append(list(answer_ids[meeting]))
    return [prompt_ids[prompt] for prompt in prompts], encoded


def completion_ids(
    tokenizer: PreTrainedTokenizerFast, prompt: str, prompt_ids: list[int], completion: str
) -> list[int]:
    """Ids of one answer after one prompt, end-of-text id included.

    Raises:
        InputError: the joined text does not begin with the ids of the prompt, or the answer is empty.
    """
    (joined,) = token_ids_of(tokenizer, [prompt + completion])
    if not completion:
        raise InputError(f"the answer after {prompt[-24:]!r} is empty; a model can only be taught to write something.")
    if joined[: len(prompt_ids)] != prompt_ids or len(joined) == len(prompt_ids):
        raise InputError(
            f"the tokenizer joins the end of the prompt ({prompt[-24:]!r}) with the start of the answer "
            f"({completion[:24]!r}) into one token, so the answer cannot be scored alone. End the prompt with one "
            "newline and no space, as data_templates/prompts/alpaca.jinja does, or use a tokenizer that splits there."
        )
    return [*joined[len(prompt_ids) :], tokenizer.eos_token_id]


def token_ids_of(tokenizer: PreTrainedTokenizerFast, texts: Sequence[str]) -> list[list[int]]:
    """Ids of N rendered texts, as `apply_chat_template` gives them: special tokens in the text count, none is added."""
    backend = tokenizer.backend_tokenizer  # without offsets, which would cost as much as the ids
    backend.no_truncation()
    backend.no_padding()
    ids: list[list[int]] = []
    for start in range(0, len(texts), BATCH):
        batch = backend.encode_batch_fast(list(texts[start : start + BATCH]), add_special_tokens=False)
        ids += [encoding.ids for encoding in batch]
    return ids
