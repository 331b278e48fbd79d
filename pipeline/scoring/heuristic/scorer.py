"""The heuristic as a scorer: beside a reference recording of the word where there is one, else by plausibility."""

from pathlib import Path

from pipeline.audio.check import check_audio
from pipeline.audio.load import Audio
from pipeline.features.alignment import References, match_word, speech_part
from pipeline.features.frames import Frames
from pipeline.features.timing import FEATURE_NAMES, timing
from pipeline.i18n import N_, Message
from pipeline.records import RubricName, ScoreResult, Target, band_of
from pipeline.scoring.base import SCORERS
from pipeline.scoring.heuristic import rules
from pipeline.scoring.other_word import SOUNDS_LIKE_ANOTHER, nearer_word
from pipeline.settings import Settings
from pipeline.text.words import text_key

VERSION = "rule-4"
SOUNDS_NOT_SCORED = N_(
    "Only length, speed and recording quality were scored, not the sounds, nor whether this is the text: there is no "
    "reference recording to compare with."
)
MELODY_NOT_SCORED = N_(
    "Stress and melody were not scored: too little pitch was found. Say the word with a clear voice, not in a whisper."
)


class HeuristicScorer:
    name = "heuristic"
    model_id = VERSION

    def __init__(self, settings: Settings) -> None:
        self._references = References(settings)

    def score(self, audio: Audio, target: Target) -> ScoreResult:
        warnings: list[str] = []
        references = self._references.of_language(target.language) if target.rubric == RubricName.WORD else {}
        part = speech_part(audio)
        word = text_key(target.text, target.language)
        if part is not None and word in references:
            word_match = match_word(part, word, references)
            losses = rules.beside_reference(word_match.match, check_audio(audio))
            overall = losses.overall
            if losses.stress is None:
                warnings.append(Message(MELODY_NOT_SCORED))
            other = nearer_word(word_match, rules.OTHER_WORD_MARGIN_DB)
            if other is not None:
                overall = min(overall, rules.MOST_FOR_ANOTHER_WORD)
                warnings.append(Message(SOUNDS_LIKE_ANOTHER, other=other, word=target.text))
        else:
            losses = _alone(audio, target)
            overall = losses.overall
            warnings.append(Message(SOUNDS_NOT_SCORED))
        overall = round(overall, 2)
        return ScoreResult(
            overall=overall,
            band=band_of(overall).key,
            scoring_method="heuristic",
            scorer=self.name,
            model_id=self.model_id,
            target=target,
            dimensions=losses.dimensions(),
            not_measured=losses.not_measured(),
            warnings=tuple(warnings),
        )


@SCORERS.register("heuristic")
def make(settings: Settings, rubric: RubricName, model: Path | None) -> HeuristicScorer:
    return HeuristicScorer(settings)


def _alone(audio: Audio, target: Target) -> rules.Losses:
    measured = dict(
        zip(FEATURE_NAMES, timing(Frames(audio), audio.duration_s, text_key(target.text, target.language)), strict=True)
    )
    return rules.alone(
        check_audio(audio),
        vowels_per_s=float(measured["vowels_per_s"]),
        syllables_per_vowel=float(measured["nuclei_per_vowel"]),
        sentence=target.rubric == RubricName.SENTENCE,
    )
