"""Let the model write: greedily, in batches, which are halved where the device's memory does not suffice."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import torch

from pipeline.i18n import N_, Message
from pipeline.parallel import Progress
from pipeline.speechllm.phi4 import Phi4

MAX_NEW_TOKENS = 400  # the longest answer of speechocean762 takes half of it
Item = TypeVar("Item")


def generate_halving(
    phi4: Phi4,
    items: Sequence[Item],
    inputs: Callable[[Sequence[Item]], Mapping[str, torch.Tensor]],
    batch: int,
    progress: Progress | None = None,
    check_stop: Callable[[], None] | None = None,
) -> list[str]:
    """What the model answers to each of `items`, whose inputs `inputs` makes batch by batch."""
    texts: list[str] = []
    while len(texts) < len(items):
        if check_stop is not None:
            check_stop()
        chosen = items[len(texts) : len(texts) + batch]
        answers: list[str] | None = None
        try:
            answers = generate(phi4, inputs(chosen))
        except torch.OutOfMemoryError:
            if len(chosen) == 1:
                raise
            batch = max(1, batch // 2)
        if answers is None:
            torch.cuda.empty_cache()
            continue
        texts += answers
        if progress is not None:
            progress(len(texts), len(items), Message(N_("answers")))
    return texts


def generate(phi4: Phi4, inputs: Mapping[str, torch.Tensor]) -> list[str]:
    on_device = {name: value.to(phi4.device) for name, value in inputs.items()}
    with torch.inference_mode():
        output = phi4.model.generate(
            **on_device,
            max_new_tokens=MAX_NEW_TOKENS,
            do_sample=False,
            pad_token_id=phi4.tokenizer.pad_token_id,
            # An untrained model may say it, and would then be given the recording once more.
            suppress_tokens=[phi4.model.config.audio_config.audio_token_id],
        )
    generated = output[:, on_device["input_ids"].shape[1] :]
    return [text.strip() for text in phi4.tokenizer.batch_decode(generated, skip_special_tokens=True)]
