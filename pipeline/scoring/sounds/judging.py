"""Each sound of a word beside its reference recording: what `pronlab score`, the service and the Practise page add to
the score of a word whose scorer knows no sounds.

The route is one for every language that has a model of its sounds. Verdicts are `right` and `wrong`; which other sound
was said is not told. docs/results/turkish-sounds.md has how often they are right.
"""

import logging
from dataclasses import replace

from pipeline.audio.load import Audio
from pipeline.corpus.reference_voice import reference_voice
from pipeline.errors import AudioError, ModelError
from pipeline.i18n import N_, Message
from pipeline.records import PhoneScore, RubricName, ScoreResult, State, Target, Verdict, WordScore
from pipeline.scoring.base import LEARNED_FROM_SYNTHETIC
from pipeline.scoring.sounds.alignment import Integers
from pipeline.scoring.sounds.listening import SoundListener, sound_listener
from pipeline.scoring.sounds.measures import Frames, measure
from pipeline.settings import Settings
from pipeline.text.turkish import sounds_of

log = logging.getLogger(__name__)

EXPERIMENTAL = N_(
    "Experimental: the sounds are judged by a model that has learned from synthetic voices, not from people. It can be "
    "wrong."
)
ALL_EXPERIMENTAL = N_(
    "Experimental: the score and the sounds are judged by models that have learned from synthetic voices, not from "
    "people. They can be wrong."
)
# Of a whole word by its score, where it has no verdict of its own: good, and poor.
RIGHT_FROM, ACCENTED_FROM = 80.0, 60.0


def with_sounds(settings: Settings, audio: Audio, result: ScoreResult) -> ScoreResult:
    """The result with the word's sounds, where it is a scored word without, and there is a reference for it. Never
    raises for want of a model: the score stands without."""
    target = result.target
    wanted = target.rubric is RubricName.WORD and result.state is State.SCORED and result.overall is not None
    if not wanted or result.words:
        return result
    try:
        word = judged_word(settings, audio, target, None if "segments" in result.not_measured else result.overall)
    except (ModelError, AudioError) as error:
        log.warning("The sounds of %r were not judged: %s", target.text, error)
        return result
    if word is None:
        return result
    return replace(result, words=(word,), warnings=_warnings(result) if word.experimental else result.warnings)


def _warnings(result: ScoreResult) -> tuple[str, ...]:
    """With what is to be known of experimental sounds; of the score too where it has learned from such voices."""
    others = tuple(warning for warning in result.warnings if warning != LEARNED_FROM_SYNTHETIC)
    return (*others, Message(EXPERIMENTAL if others == result.warnings else ALL_EXPERIMENTAL))


def experimental_note(result: ScoreResult) -> str | None:
    """What `with_sounds` has to say of experimental sounds, once; None where there are none."""
    return next((warning for warning in result.warnings if warning in (EXPERIMENTAL, ALL_EXPERIMENTAL)), None)


def judged_word(settings: Settings, audio: Audio, target: Target, score: float | None) -> WordScore | None:
    """None where nothing can be said: no model, no reference, or letters that the model does not know.

    Args:
        score: The word's (0-100); None where it was made without its sounds: then the word has the mean of theirs.
    """
    sounds = expected_sounds(target)
    listener = sound_listener(settings, target.language) if sounds else None
    if listener is None or listener.model.classes(sounds) is None:
        return None
    voice = reference_voice(settings, target.text, target.language)
    known = None if voice is None else listener.reference(voice.path, sounds)
    return None if known is None else _judged(listener, audio, target, sounds, known, score)


def expected_sounds(target: Target) -> tuple[str, ...]:
    """As people mark them: phones that were given, else in Turkish the letters; none for several words."""
    if target.phones is not None:
        return target.phones[0] if len(target.phones) == 1 else ()
    is_one_turkish_word = target.language == "tr" and len(target.text.split()) == 1
    return sounds_of(target.text) if is_one_turkish_word else ()


def whole_verdict(score: float) -> Verdict:
    """Of a word scored as a whole."""
    return Verdict.RIGHT if score >= RIGHT_FROM else Verdict.ACCENTED if score >= ACCENTED_FROM else Verdict.WRONG


def load_sounds(settings: Settings, language: str) -> None:
    """Load what `with_sounds` needs, before somebody waits for it."""
    try:
        sound_listener(settings, language)
    except ModelError as error:
        log.warning("The sounds of %s are not judged: %s", language, error)


def _judged(
    listener: SoundListener,
    audio: Audio,
    target: Target,
    sounds: tuple[str, ...],
    known: tuple[Frames, Integers],
    score: float | None,
) -> WordScore | None:
    heard, classes = listener.hear(audio), listener.model.classes(sounds)
    if heard is None or classes is None:
        return None
    frames, cut = heard
    measured = measure(frames, *known, classes)
    info = listener.model.info
    phones = []
    for sound, (start, end), wrong in zip(
        sounds, measured.spans, listener.model.wrong(measured.values, sounds), strict=True
    ):
        is_wrong = bool(wrong >= info.threshold)
        phones.append(
            PhoneScore(
                sound,
                round(100.0 * (1.0 - float(wrong)), 1),
                round(float(start) / listener.frames_per_s + cut.before_s, 3),
                round(float(end) / listener.frames_per_s + cut.before_s, 3),
                Verdict.WRONG if is_wrong else Verdict.RIGHT,
                confidence=None if info.synthetic else round(float(wrong if is_wrong else 1.0 - wrong), 3),
            )
        )
    if score is None:
        score = round(sum(phone.score for phone in phones) / len(phones), 1)
    return WordScore(
        target.text, score, phones[0].start_s, phones[-1].end_s, tuple(phones), whole_verdict(score),
        experimental=info.synthetic,
    )  # fmt: skip
