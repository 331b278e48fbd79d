"""A fine-tuned model, or any checkpoint, asked about recordings: both tasks of each, in batches of like length."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from pipeline.devices import Device
from pipeline.errors import ModelError
from pipeline.i18n import N_
from pipeline.jobs.requirements import packages_of
from pipeline.optional import require
from pipeline.speechllm.adapter_files import CONFIG_FILE as ADAPTER_FILE
from pipeline.speechllm.adapter_files import attach_weights, read_weights
from pipeline.speechllm.answers import Transcript, parse_apa, parse_mdd
from pipeline.speechllm.attention import settle
from pipeline.speechllm.collator import prompt_batch
from pipeline.speechllm.generation import generate_halving
from pipeline.speechllm.loading import load_phi4
from pipeline.speechllm.phi4 import Phi4, first_line, names_of_before
from pipeline.speechllm.prompts import TASKS, Task

if TYPE_CHECKING:
    from pipeline.speechllm.model_files import SpeechLlmInfo

log = logging.getLogger(__name__)

BATCH = 16  # answers at once


@dataclass(frozen=True)
class Answers:
    """Of one recording; None where the model's answer could not be read."""

    scores: dict[str, float] | None
    heard: Transcript | None


class Recogniser:
    """Raises ModelError where the base or the adapter cannot be loaded, or a package is missing."""

    def __init__(self, folder: Path, info: "SpeechLlmInfo", device: Device) -> None:
        config = info.config(folder)
        require(N_("A speech language model"), packages_of("speechllm", config), ModelError)
        self._prompts = info.asked()
        log.info(device.text)
        self._phi4 = load_for_scoring(folder, config, device.name)
        settle(self._phi4.model, config.attention, self._trial, log.info)

    def answer(self, recordings: Sequence["np.ndarray[Any, np.dtype[np.float32]]"]) -> list[Answers]:
        """Of float32 [n] at 16 kHz, in their order."""
        asked = [(task, k) for task in TASKS for k in sorted(range(len(recordings)), key=lambda k: len(recordings[k]))]

        def inputs(part: Sequence[tuple[Task, int]]) -> dict[str, torch.Tensor]:
            return prompt_batch(self._phi4, self._prompts, [(task, recordings[k]) for task, k in part])

        texts = dict(zip(asked, generate_halving(self._phi4, asked, inputs, BATCH), strict=True))
        return [Answers(parse_apa(texts["apa", k]), parse_mdd(texts["mdd", k])) for k in range(len(recordings))]

    def _trial(self) -> dict[str, torch.Tensor]:
        second = np.zeros(16_000, dtype=np.float32)
        batch = prompt_batch(self._phi4, self._prompts, [("mdd", second)])
        return {name: value.to(self._phi4.device) for name, value in batch.items()}


def load_for_scoring(folder: Path, config: Any, device: str) -> Phi4:
    """The base with what was trained, or with the checkpoint's own speech adapter. Raises ModelError."""
    from peft import PeftModel

    phi4 = load_phi4(config, device)
    model = phi4.model
    with names_of_before():
        if config.merge_speech:
            model = attach_weights(model, *read_weights(config)).merge_and_unload()
        if (folder / ADAPTER_FILE).is_file():
            try:
                model = PeftModel.from_pretrained(model, str(folder))
            except (OSError, ValueError, RuntimeError, KeyError) as error:
                raise ModelError(
                    N_("The adapter in {folder} does not fit its base: {reason}"),
                    folder=str(folder),
                    reason=first_line(error),
                ) from error
    model.config.use_cache = True
    return Phi4(model.eval(), phi4.tokenizer, phi4.front_end)
