"""The heuristic as a scorer: beside a reference recording of the word where there is one, else by plausibility."""

from functools import lru_cache
from pathlib import Path

from pipeline.audio.check import check_audio
from pipeline.audio.load import Audio, load_audio
from pipeline.errors import AudioError
from pipeline.features.frames import Frames
from pipeline.features.timing import FEATURE_NAMES, timing
from pipeline.records import RubricName, ScoreResult, Target, band_of
from pipeline.scoring.base import SCORERS
from pipeline.scoring.heuristic import rules
from pipeline.scoring.heuristic.alignment import Match, Spoken, distance, match, spoken
from pipeline.scoring.references import find_references, word_key
from pipeline.settings import Settings

VERSION = "rule-1"


class HeuristicScorer:
    name = "heuristic"
    model_id = VERSION

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def score(self, audio: Audio, target: Target) -> ScoreResult:
        warnings: list[str] = []
        references = self._of_language(target.language) if target.rubric == RubricName.WORD else {}
        said = spoken(audio)
        word = word_key(target.text, target.language)
        if said is not None and word in references:
            matches = [match(said, reference) for reference in references[word]]
            best = min(matches, key=lambda found: found.distance)
            losses = rules.beside_reference(best, check_audio(audio))
            overall = losses.overall
            other = _nearer_word(said, best, word, references)
            if other is not None:
                overall = min(overall, rules.MOST_FOR_ANOTHER_WORD)
                warnings.append(f"It sounds more like “{other}” than like “{target.text}”.")
        else:
            losses = _alone(audio, target)
            overall = losses.overall
            what = "sentence" if target.rubric == RubricName.SENTENCE else "word"
            warnings.append(
                f"Only length, rate and signal were judged, not which sounds were said: there is no reference "
                f"recording of this {what}."
            )
        overall = round(overall, 2)
        return ScoreResult(
            overall=overall,
            band=band_of(overall).key,
            scoring_method="heuristic",
            scorer=self.name,
            model_id=self.model_id,
            target=target,
            dimensions=losses.dimensions(),
            warnings=tuple(warnings),
        )

    def _of_language(self, language: str) -> dict[str, tuple[Spoken, ...]]:
        """References of the language; a file is read again only when it changes."""
        found: dict[str, tuple[Spoken, ...]] = {}
        for word, paths in find_references(self._settings, language).items():
            usable = [part for path in paths if (part := _reference(path, _stamp(path))) is not None]
            if usable:
                found[word] = tuple(usable)
        return found


@SCORERS.register("heuristic")
def make(settings: Settings, rubric: RubricName, model: Path | None) -> HeuristicScorer:
    return HeuristicScorer(settings)


def _nearer_word(said: Spoken, best: Match, word: str, references: dict[str, tuple[Spoken, ...]]) -> str | None:
    """Another word that the recording is clearly nearer to."""
    others = {
        other: min(distance(said, reference, best.stretch) for reference in found)
        for other, found in references.items()
        if other != word
    }
    if not others:
        return None
    nearest = min(others, key=lambda other: others[other])
    return nearest if others[nearest] + rules.OTHER_WORD_MARGIN_DB < best.distance else None


def _alone(audio: Audio, target: Target) -> rules.Losses:
    measured = dict(zip(FEATURE_NAMES, timing(Frames(audio), audio.duration_s, target.text), strict=True))
    return rules.alone(
        check_audio(audio),
        vowels_per_s=float(measured["vowels_per_s"]),
        syllables_per_vowel=float(measured["nuclei_per_vowel"]),
        sentence=target.rubric == RubricName.SENTENCE,
    )


def _stamp(path: Path) -> str:
    stat = path.stat()
    return f"{stat.st_size}:{stat.st_mtime_ns}"


@lru_cache(maxsize=4096)
def _reference(path: Path, stamp: str) -> Spoken | None:
    """None for a file that cannot be read: one bad reference must not stop scoring."""
    try:
        return spoken(load_audio(path))
    except AudioError:
        return None
