"""The speech language model as a scorer: four scores, and the words and phones it heard without being told the text."""

import hashlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.audio.load import Audio
from pipeline.errors import CorpusError, ModelError
from pipeline.i18n import N_, Message
from pipeline.records import RubricName, ScoreResult, State, Target, band_of
from pipeline.scoring.base import SCORERS
from pipeline.settings import Settings
from pipeline.speechllm.deployed import find_speechllm_model
from pipeline.speechllm.model_files import SpeechLlmInfo, load_info

if TYPE_CHECKING:
    from pipeline.speechllm.recognition import Answers, Recogniser

NAME = "speechllm"
MAX_S = 30.0
UNPARSED = N_("The model's answer could not be read, so there is no score. Use another model for this recording.")


class SpeechLlmScorer:
    """Knows no text: the target only says the language. Raises ModelError for a folder without a usable model, once a
    recording is scored where the base cannot be loaded."""

    name = NAME
    takes_whole = True  # it was trained on recordings as they are, the silence around the speech included

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.info: SpeechLlmInfo = load_info(folder)
        self.model_id = self.info.model_id
        self._folder, self._settings = folder, settings
        self._ahead: dict[str, Answers] = {}

    def score(self, audio: Audio, target: Target) -> ScoreResult:
        """Raises CorpusError for another language than the model's."""
        if target.language != self.info.language:
            raise CorpusError(
                N_("The speech language model scores {language} only, not {other!r}. Name another scorer."),
                language=self.info.language,
                other=target.language,
            )
        if audio.duration_s > MAX_S:
            too_long = Message(
                N_("The recording is {seconds:.0f} s long; at most {most:.0f} s can be scored. Record a shorter text."),
                seconds=audio.duration_s, most=MAX_S,
            )  # fmt: skip
            return self._result(target, None, State.TOO_LONG, (too_long,))
        answers = self._ahead.pop(_key(audio), None) or self._recogniser.answer([audio.samples])[0]
        scores, heard = answers.scores, answers.heard
        transcripts: dict[str, Any] = {} if heard is None else {
            "heard_phones": heard.phones, "heard_text": " ".join(heard.words)
        }  # fmt: skip
        if scores is None:
            return self._result(target, None, State.UNPARSED, (Message(UNPARSED),), **transcripts)
        return self._result(target, scores, State.SCORED, (), **transcripts)

    def answer_ahead(self, recordings: Sequence[Audio]) -> None:
        """Answer many recordings in batches; `score` then only looks their answers up."""
        short = [audio for audio in recordings if audio.duration_s <= MAX_S]
        answers = self._recogniser.answer([audio.samples for audio in short])
        self._ahead = dict(zip(map(_key, short), answers, strict=True))

    @cached_property
    def _recogniser(self) -> "Recogniser":
        from pipeline.devices import find_device
        from pipeline.speechllm.recognition import Recogniser

        device = find_device(self._settings.scoring_device, self._settings.device)
        return Recogniser(self._folder, self.info, device)

    def _result(
        self, target: Target, scores: dict[str, float] | None, state: State, warnings: tuple[str, ...], **heard: Any
    ) -> ScoreResult:
        overall = None if scores is None else round(10.0 * scores["total"], 2)
        return ScoreResult(
            overall=overall, band=None if overall is None else band_of(overall).key,
            scoring_method="none" if scores is None else "ml_model", scorer=self.name, model_id=self.model_id,
            target=target, dimensions=scores or {}, warnings=warnings, state=state, **heard,
        )  # fmt: skip


def _key(audio: Audio) -> str:
    return hashlib.sha256(audio.samples.tobytes()).hexdigest()


@SCORERS.register(NAME)
def make(settings: Settings, rubric: RubricName, model: Path | None) -> SpeechLlmScorer:
    """Raises ModelError where no speech language model is named or deployed."""
    folder = find_speechllm_model(settings, model)
    if folder is None:
        raise ModelError(
            N_(
                "No speech language model is deployed. Train one (`pronlab train speechllm`), or name a run or "
                "folder with --model."
            )
        )
    return SpeechLlmScorer(folder, settings)
