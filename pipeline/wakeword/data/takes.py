"""Takes of a word that somebody records one after another: each is checked before it is kept."""

from pipeline.audio.check import check_audio
from pipeline.audio.load import load_audio
from pipeline.audio.voice import find_word, surest_voice
from pipeline.i18n import N_, Message
from pipeline.records import Seconds
from pipeline.wakeword.features import RATE_HZ

WANTED = 20
REFUSED = ("empty", "silent", "too_short", "clipped", "low_level")  # besides what is an error of any recording
SUREST_VOICE = 0.5  # of silero-vad: under it nobody speaks
SHORTEST_S: Seconds = 0.15  # of the word itself
LONGEST_S: Seconds = 1.5  # a window of the detector


def problems_of_take(content: bytes) -> list[str]:
    """In words, why a take is no clip to learn from; none for a good one. Raises AudioError for what is no audio."""
    audio = load_audio(content)
    report = check_audio(audio)
    problems = [
        problem.message for problem in report.problems if problem.severity == "error" or problem.code in REFUSED
    ]
    if problems:
        return problems
    if surest_voice(audio.samples) < SUREST_VOICE:
        return [Message(N_("Nobody speaks in this take. Say the word after the start."))]
    start, end = find_word(audio.samples)
    length_s = (end - start) / RATE_HZ
    if length_s < SHORTEST_S:
        return [Message(N_("The word lasts only {seconds:.2f} s. Say it whole."), seconds=length_s)]
    if length_s > LONGEST_S:
        text = N_("Speech lasts {seconds:.1f} s; a detector hears {longest:.1f} s at once. Say the word alone.")
        return [Message(text, seconds=length_s, longest=LONGEST_S)]
    return []
