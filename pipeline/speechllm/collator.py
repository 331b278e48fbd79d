"""Samples to batches: prompts with as many audio places as the recording needs, and labels for the answer alone.

Over a vocabulary of 200,000, the scores of every place of eight samples take 10 GB, and answers fill one place in ten.
So a batch names the places whose scores are needed, and its labels are of those alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from pipeline.errors import TrainingError
from pipeline.i18n import N_
from pipeline.speechllm.phi4 import Phi4
from pipeline.speechllm.prompts import END, Prompts, Task
from pipeline.speechllm.samples import Corpus, Sample, audio_of

IGNORED = -100  # a label that the loss leaves out
RATE_HZ = 16_000


@dataclass(frozen=True)
class Collator:
    """Called with samples: right-padded, with labels, to train on. `for_generation`: left-padded prompts alone.

    `logits_to_keep` are the places that end in a token of some sample's answer, and the one before each answer, which
    predicts its first; `labels` [samples, those places] follow them. Where places are left out between two, the later
    has no label in any sample, so that every label is still predicted by the place before it.
    """

    corpus: Corpus
    prompts: Prompts
    phi4: Phi4
    max_length: int

    def __call__(self, samples: Sequence[Sample]) -> dict[str, torch.Tensor]:
        """Raises TrainingError for a sample longer than `max_length` tokens: cut, it would lose its answer."""
        audio, sizes = self._audio(samples)
        rows: list[list[int]] = []
        labels: list[list[int]] = []
        for sample, size in zip(samples, sizes, strict=True):
            prompt = self._ids(self.prompts.turn(sample.task, size))
            answer = self._ids(sample.answer + END)
            if len(prompt) + len(answer) > self.max_length:
                raise TrainingError(
                    N_(
                        "{recording} takes {n} tokens, more than max_length {max_length}. Raise it, or leave the "
                        "recording out."
                    ),
                    recording=self.corpus.rows[sample.row]["id"],
                    n=len(prompt) + len(answer),
                    max_length=self.max_length,
                )
            rows.append(prompt + answer)
            labels.append([IGNORED] * len(prompt) + answer)
        longest = max(map(len, rows))
        pad = self.phi4.tokenizer.pad_token_id
        all_labels = torch.tensor([row + [IGNORED] * (longest - len(row)) for row in labels])
        learnt = (all_labels != IGNORED).any(dim=0)
        kept = (learnt | learnt.roll(-1)).nonzero().flatten()  # a prompt comes first, so nothing is rolled round
        return {
            "input_ids": torch.tensor([row + [pad] * (longest - len(row)) for row in rows]),
            "attention_mask": torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows]),
            "labels": all_labels[:, kept],
            "logits_to_keep": kept,
            **audio,
        }

    def for_generation(self, samples: Sequence[Sample]) -> dict[str, torch.Tensor]:
        table = self.corpus.rows
        return prompt_batch(self.phi4, self.prompts, [(s.task, audio_of(table[s.row])) for s in samples])

    def _audio(self, samples: Sequence[Sample]) -> tuple[dict[str, torch.Tensor], list[int]]:
        table = self.corpus.rows
        return _heard(self.phi4, [audio_of(table[sample.row]) for sample in samples])

    def _ids(self, text: str) -> list[int]:
        return _ids(self.phi4, text)


def prompt_batch(
    phi4: Phi4, prompts: Prompts, asked: Sequence[tuple[Task, "np.ndarray[Any, np.dtype[np.float32]]"]]
) -> dict[str, torch.Tensor]:
    """Left-padded prompts for recordings (float32 [n] at 16 kHz), each with its task."""
    audio, sizes = _heard(phi4, [wave for _, wave in asked])
    rows = [_ids(phi4, prompts.turn(task, size)) for (task, _), size in zip(asked, sizes, strict=True)]
    longest = max(map(len, rows))
    pad = phi4.tokenizer.pad_token_id
    return {
        "input_ids": torch.tensor([[pad] * (longest - len(row)) + row for row in rows]),
        "attention_mask": torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in rows]),
        **audio,
    }


def _heard(
    phi4: Phi4, waves: Sequence["np.ndarray[Any, np.dtype[np.float32]]"]
) -> tuple[dict[str, torch.Tensor], list[int]]:
    """The front end's tensors, and how many places each recording takes. Each is heard alone and filled up with zeros:
    several at once, transformers' front end ends with an error where one is shorter than the longest by less than half
    a frame's step (5 ms), as some of like length are, and leaves its last samples in two frames beyond its end."""
    heard: list[Any] = [phi4.front_end([wave], sampling_rate=RATE_HZ, return_tensors="pt") for wave in waves]
    frames = [one["audio_input_features"][0] for one in heard]
    sizes = torch.cat([one["audio_embed_sizes"] for one in heard])
    tensors = {
        "audio_input_features": torch.nn.utils.rnn.pad_sequence(frames, batch_first=True),
        "audio_embed_sizes": sizes,
    }
    if len(frames) > 1:  # the model wants no mask for one
        lengths = torch.tensor([len(each) for each in frames])
        tensors["audio_attention_mask"] = torch.arange(int(lengths.max()))[None] < lengths[:, None]
    return tensors, [int(size) for size in sizes]


def _ids(phi4: Phi4, text: str) -> list[int]:
    return list(phi4.tokenizer(text, add_special_tokens=False)["input_ids"])
