"""The model measured by its answers: on the evaluation part for Table 3, or on training speakers that are left out,
whose figures choose the epoch."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pipeline.i18n import N_, Message
from pipeline.runs import RunWriter
from pipeline.speechllm.collator import Collator
from pipeline.speechllm.config import SpeechLlmConfig
from pipeline.speechllm.distributed import Group
from pipeline.speechllm.evaluate import Answered, SpeechLlmFigures, answer_all, figures, write_answers
from pipeline.speechllm.model_files import is_stand_in
from pipeline.speechllm.samples import Sample
from pipeline.speechllm.table3 import table3, write_table3

ANSWERS_FILE = "answers.jsonl"
VALIDATION_FILE = "validation_answers.jsonl"
VALIDATION = "left-out training speakers"


class Judge:
    """Measures the model on the evaluation part, on all devices together; keeps every answer."""

    part: str
    file = ANSWERS_FILE

    def __init__(
        self,
        collator: Collator,
        samples: Sequence[Sample],
        config: SpeechLlmConfig,
        writer: RunWriter,
        group: Group,
    ) -> None:
        self.collator, self.samples, self.config, self.writer = collator, list(samples), config, writer
        self.group = group
        self.part = config.evaluation_part
        self.measured: dict[int, SpeechLlmFigures] = {}

    def measure(self, epoch: int) -> SpeechLlmFigures:
        def progress(done: int, total: int, _: str) -> None:
            message = N_("measuring after epoch {epoch}: answer {done} of {total}")
            self.writer.update(message=Message(message, epoch=epoch, done=done, total=total))

        rank, size = self.group.rank, self.group.size
        answers = answer_all(
            self.collator, self.samples[rank::size], batch=self.config.evaluation_batch, progress=progress
        )
        merged: list[Answered | None] = [None] * len(self.samples)
        for number, part in enumerate(self.group.gather(answers)):
            merged[number::size] = part
        whole = [answer for answer in merged if answer is not None]
        measured = figures(self.collator, self.samples, whole, self.part)
        self.measured[epoch] = measured
        if self.writer.leads:
            write_answers(self.writer.run.path / f"epoch-{epoch}" / self.file, whole)
            self._keep(epoch, measured)
        return measured

    def _keep(self, epoch: int, measured: SpeechLlmFigures) -> None:
        stand_in = is_stand_in(self.config.model)
        table = table3(measured, row_of(self.config), epoch, stand_in=stand_in)
        write_table3(self.writer.run.path / f"epoch-{epoch}", table, measured, stand_in=stand_in)
        self.writer.log_metrics(
            event="epoch", epoch=epoch, table3={name: row.ours for name, row in table.items()},
            unparsed=measured.unparsed, mdd_f1=measured.mdd["f1"], per_accuracy=measured.per_accuracy,
        )  # fmt: skip


class Validation(Judge):
    """Measures it on the training speakers that are left out."""

    file = VALIDATION_FILE

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.part = VALIDATION

    def choice(self, epoch: int) -> float:
        """What the best epoch has the most of."""
        return chooses(self.measured.get(epoch) or self.measure(epoch))

    def _keep(self, epoch: int, measured: SpeechLlmFigures) -> None:
        values = {f"{aspect}_pcc": score.pcc for aspect, score in measured.utterance.items()}
        values |= {"per": measured.per, "wer": measured.wer, "f1": measured.phone_match["f1"]}
        values["choice"] = chooses(measured)
        self.writer.log_metrics(
            event="epoch", epoch=epoch, metrics={f"validation_{name}": value for name, value in values.items()},
            unparsed=measured.unparsed,
        )  # fmt: skip


def chooses(measured: SpeechLlmFigures) -> float:
    """The mean of the PCC of the total score (0 where all answers are alike) and of 1 - PER, where phones were
    transcribed; at most 1."""
    total = measured.utterance.get("total")
    parts = [] if total is None else [total.pcc or 0.0]
    parts += [] if measured.per is None else [1.0 - measured.per]
    return float(np.mean(parts))


def row_of(config: SpeechLlmConfig) -> str:
    """The paper's row that a run stands beside."""
    rows: Mapping[str, str] = {"unfreeze": "unfrozen", "full": "unfrozen", "none": "none"}
    return rows.get(config.adapter, "LoRA")
