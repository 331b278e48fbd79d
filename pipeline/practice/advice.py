"""The two or three things that would help a learner most, the most useful first, each with how to do it."""

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.phones import PHONES, UNKNOWN
from pipeline.practice.comparison import Beside, Stretch
from pipeline.practice.stress import WordStress
from pipeline.records import PhoneScore, ScoreResult, Seconds, State, Verdict, WordScore

MOST = 3
LOW = 85.0  # of a dimension of the rule, 0-100
LONG_PAUSE_S: Seconds = 0.6
TOO_LONG, TOO_SHORT = 1.5, 0.66  # times the reference
LOW_ASPECT = 6.5  # of 10
FAR_DB = 14.0  # from the reference: beyond what another faultless voice gives

# How sounds of Turkish letters are made that learners ask about.
TURKISH: dict[str, str] = {
    "ı": "ı: tongue back as for u, lips flat as for i.",
    "ö": "ö: say e and round the lips.",
    "ü": "ü: say i and round the lips tightly.",
    "ç": "ç: as ch in cheese.",
    "ş": "ş: as sh in she.",
    "ğ": "ğ: not said; it makes the vowel before it longer.",
    "r": "r: one tap of the tongue tip behind the teeth.",
    "c": "c: as j in job.",
    "j": "j: as s in measure.",
    "h": "h: a breath, also at a word's end.",
    "y": "y: as y in yes.",
}


@dataclass(frozen=True)
class Advice:
    """`mine` and `reference` are what to hear, in seconds of each file; `gain` orders: roughly, points to be had."""

    title: str
    text: str
    gain: float
    mine: tuple[Seconds, Seconds] | None = None
    reference: tuple[Seconds, Seconds] | None = None


def advise(
    result: ScoreResult, rule: ScoreResult, besides: Beside | None, stresses: tuple[WordStress, ...] = ()
) -> list[Advice]:
    """At most three. `rule` is the heuristic's answer, whose dimensions say what a score of words alone does not."""
    if result.overall is None or result.state is not State.SCORED:
        return []
    everything = [
        *_recording(rule), *_words(result.words), *_phones(result.words), *_stress(stresses),
        *_timing(result, rule, besides), *_melody(result, rule), *_part(result, rule, besides),
    ]  # fmt: skip
    return sorted(everything, key=lambda one: -one.gain)[:MOST]


def _recording(rule: ScoreResult) -> Iterator[Advice]:
    signal = rule.dimensions.get("signal", 100.0)
    if signal < LOW:
        text = (
            "Noise or clipping covers the speech. Move closer to the microphone, away from noise, or lower its level."
        )
        yield Advice("A better recording", text, 100.0 - signal)


def _words(words: tuple[WordScore, ...]) -> Iterator[Advice]:
    for word in words:
        span = (word.start_s, word.end_s)
        if word.verdict is Verdict.MISSING:
            yield Advice(f"“{word.text}” was not said", "Read every word, also the small ones.", 60.0)
        elif word.heard:
            text = f"It sounded like “{word.heard}”. Hear both, and say it once alone."
            yield Advice(f"“{word.text}” was heard as another word", text, 55.0, span)


def _phones(words: tuple[WordScore, ...]) -> Iterator[Advice]:
    """Each symbol once, where it is surest; more of the same weigh more."""
    missing = {id(phone) for word in words if word.verdict is Verdict.MISSING for phone in word.phones}
    bad: dict[str, list[tuple[WordScore, PhoneScore]]] = {}
    for word in words:
        for phone in word.phones:
            if phone.verdict in (Verdict.WRONG, Verdict.MISSING) and id(phone) not in missing:
                bad.setdefault(phone.phone, []).append((word, phone))
    for symbol, found in bad.items():
        word, worst = max(found, key=lambda pair: pair[1].confidence or 0.0)
        sound = PHONES[symbol]
        where = ", ".join(dict.fromkeys(f"“{one.text.lower()}”" for one, _ in found))
        gain = sum(0.6 * (100.0 - phone.score) * (phone.confidence or 0.5) for _, phone in found)
        yield Advice(
            f"The sound {sound.ipa} in {where}",
            f"{_heard(worst)} {sound.hint} As in “{sound.example}”.".strip(),
            min(gain, 90.0),
            (word.start_s, word.end_s),
        )


def _heard(phone: PhoneScore) -> str:
    if phone.verdict is Verdict.MISSING:
        return "It was not said."
    if phone.heard == UNKNOWN:
        return "It was not like any English sound."
    return f"It was heard as {PHONES[phone.heard].ipa}." if phone.heard else ""


def _stress(stresses: tuple[WordStress, ...]) -> Iterator[Advice]:
    for one in stresses:
        if one.moved:
            text = f"{one.shown}: make that syllable longer, louder and higher, and the others shorter."
            title = f"The stress in “{one.word.lower()}” is on syllable {one.expected + 1}, not {one.heard + 1}"
            yield Advice(title, text, 30.0, one.span_s)


def _timing(result: ScoreResult, rule: ScoreResult, besides: Beside | None) -> Iterator[Advice]:
    if besides is None:
        if rule.dimensions.get("timing", 100.0) < LOW:
            yield Advice("Pace", "Say it in one go, at an even pace.", 100.0 - rule.dimensions["timing"])
        return
    offset = besides.mine.offset_s
    long = [pause for pause in besides.pauses_s if pause[1] - pause[0] >= LONG_PAUSE_S]
    fluency = result.dimensions.get("fluency", 0.0)
    if long and fluency < LOW_ASPECT:
        start, end = max(long, key=lambda pause: pause[1] - pause[0])
        text = f"The longest lasted {end - start:.1f} s. Read it silently first, then say it in one breath."
        title = "One long pause" if len(long) == 1 else f"{len(long)} long pauses"
        yield Advice(title, text, 25.0 + 5.0 * len(long), (max(0.0, start + offset - 0.5), end + offset + 0.5))
    elif besides.length_ratio > TOO_LONG:
        yield Advice(
            "Slower than the reference",
            f"It took {besides.length_ratio:.1f} times as long. Say it once more in one go.",
            20.0 * (besides.length_ratio - 1.0),
        )
    elif besides.length_ratio < TOO_SHORT:
        yield Advice(
            "Faster than the reference",
            f"It took {besides.length_ratio:.0%} of the reference's time. Give each syllable its room.",
            20.0 * (1.0 / besides.length_ratio - 1.0),
        )


def _melody(result: ScoreResult, rule: ScoreResult) -> Iterator[Advice]:
    if 0.0 < result.dimensions.get("prosodic", 0.0) < LOW_ASPECT:
        text = "Let the voice rise and fall: stress the words that carry the meaning, let the small ones be short."
        yield Advice("Melody and rhythm", text, 5.0 * (LOW_ASPECT - result.dimensions["prosodic"]))
    elif rule.dimensions.get("stress", 100.0) < LOW:
        text = "The pitch moves differently. Listen for which syllable is higher and stronger."
        yield Advice("Stress and melody", text, 0.7 * (100.0 - rule.dimensions["stress"]))


def _part(result: ScoreResult, rule: ScoreResult, besides: Beside | None) -> Iterator[Advice]:
    """Where a word without phones lies furthest from its reference, told by thirds of its letters."""
    if besides is None or result.words or rule.dimensions.get("segments", 100.0) >= LOW:
        return
    worst = besides.worst()
    middle = sum(worst.reference) / 2 / besides.reference.duration_s
    name, letters = part_of(result.target.text, middle)
    hints = [TURKISH[letter] for letter in dict.fromkeys(letters) if letter in TURKISH]
    text = " ".join(["Hear yours and the reference there, one after the other.", *hints])
    lost = 100.0 - rule.dimensions["segments"]
    yield Advice(f"{name} (around “{letters}”) differs most", text, lost, *_in_files(worst, besides))


def part_of(text: str, share: float) -> tuple[str, str]:
    """Which third of a text lies at `share` (0-1) of its time, and its letters; roughly, as their lengths differ."""
    letters = text.lower().replace(" ", "")
    third = min(2, max(0, int(3 * share)))
    bounds = [round(len(letters) * part / 3) for part in range(4)]
    part = letters[bounds[third] : bounds[third + 1]] or letters
    return ("The beginning", "The middle", "The end")[third], part


def _in_files(stretch: Stretch, besides: Beside) -> tuple[tuple[Seconds, Seconds], tuple[Seconds, Seconds]]:
    (a, b), (c, d) = stretch.mine, stretch.reference
    mine, theirs = besides.mine.offset_s, besides.reference.offset_s
    return (a + mine, b + mine), (c + theirs, d + theirs)
