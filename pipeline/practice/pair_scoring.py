"""Which word of a minimal pair was said: both are laid over one recording, and the nearer is named.

English words by the speech model: the likelihood of the phones of each (`listening.reading`). Words of other languages
by their distance to a reference voice of each (`features.alignment`). Where the difference is too small, or neither
fits, that is said. docs/results/practice.md has how often each is right.
"""

from dataclasses import dataclass

from pipeline.audio.check import check_audio
from pipeline.audio.load import Audio
from pipeline.audio.speech import MARGINS, cut_to, find_speech
from pipeline.features.alignment import match, speech_part
from pipeline.features.whisper import WHISPERED_PAIR, whispered_in
from pipeline.i18n import Message
from pipeline.practice.english_listener import english_listener
from pipeline.practice.validity import REASONS
from pipeline.records import RubricName, State
from pipeline.scoring.attempt import LEAST_VOICE
from pipeline.settings import Settings

# With a smaller lead it is not said which word it was. Nats of likelihood, and decibels of cepstral distance.
UNSURE_NATS = 1.0
UNSURE_DB = 0.35
# Where the better word lies further from what was said freely than that, it was neither.
NEITHER_NATS = 12.0


@dataclass(frozen=True)
class PairHeard:
    """`word` is what was said, None where it cannot be told; `no_attempt` says why the recording is none, `doubt` why
    it may be wrong."""

    word: str | None
    no_attempt: Message | None = None
    doubt: Message | None = None


def hear_pair(
    settings: Settings, audio: Audio, language: str, pair: tuple[str, str], voices: tuple[Audio, Audio] | None
) -> PairHeard:
    """Args:
        voices: How the two words sound; needed but for English.

    Raises ModelError where English has no speech model.
    """
    refused = next((problem.message for problem in check_audio(audio).problems if problem.severity == "error"), None)
    if refused is not None:
        return PairHeard(None, refused if isinstance(refused, Message) else Message("{reason}", reason=refused))
    speech = find_speech(audio, RubricName.WORD)
    if speech.surest < LEAST_VOICE:
        return PairHeard(None, Message(REASONS[State.NO_SPEECH]))
    cut = cut_to(audio, speech, MARGINS[RubricName.WORD]).audio
    if language == "en":
        lead = english_lead(settings, cut, pair)
        unsure = UNSURE_NATS
    else:
        lead = None if voices is None else voice_lead(cut, voices)
        unsure = UNSURE_DB
    if lead is None:
        return PairHeard(None, Message(REASONS[State.OTHER_TEXT]))
    word = None if abs(lead) < unsure else pair[0] if lead > 0 else pair[1]
    return PairHeard(word, doubt=Message(WHISPERED_PAIR) if whispered_in(audio, speech) else None)


def english_lead(settings: Settings, audio: Audio, pair: tuple[str, str]) -> float | None:
    """By how many nats the first word is the likelier; None where neither fits."""
    from pipeline.scoring.speech.lexicon.dictionary import pronounce, spoken_of
    from pipeline.scoring.speech.listening.reading import read

    # As it was recorded: brought to its place, 82.7 % of 313 words were told instead of 87.5 %, no more rightly.
    log_probs = english_listener(settings).runtime.listen(audio.samples).log_probs
    fits = []
    for word in pair:
        variants = [spoken_of([variant])[0].labels.tolist() for variant in pronounce(word)[0].variants]
        try:
            fits.append(read(log_probs, [variants]).log_prob)
        except ValueError:  # too short for the word
            return None
    freely = float(log_probs.max(axis=1).sum())
    return None if freely - max(fits) > NEITHER_NATS else fits[0] - fits[1]


def voice_lead(audio: Audio, voices: tuple[Audio, Audio]) -> float | None:
    """By how many decibels the first voice is the nearer; None where there is no speech."""
    mine, *theirs = (speech_part(recording) for recording in (audio, *voices))
    if mine is None:
        return None
    distances = [match(mine, voice).distance for voice in theirs if voice is not None]
    return distances[1] - distances[0] if len(distances) == 2 else None
