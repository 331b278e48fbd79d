"""The two or three things that would help a learner most, the most useful first, each with how to do it.

Titles and texts are messages (pipeline/i18n.py): a page shows them in the learner's language.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from pipeline.i18n import N_, Message
from pipeline.practice.comparison import AlignedComparison, Stretch
from pipeline.practice.sounds import TURKISH, known_sound
from pipeline.records import PhoneScore, RubricName, ScoreResult, Seconds, State, Verdict, WordScore
from pipeline.text.signs import lower

MOST = 3
MOST_LISTED = 4  # words in a title
LOW = 85.0  # of a dimension of the rule, 0-100
LONG_PAUSE_S: Seconds = 0.6
TOO_LONG, TOO_SHORT = 1.5, 0.66  # times the reference
LOW_ASPECT = 6.5  # of 10
# A sound is called wrong from here on, of 1; below it the learner is asked to listen. Experts agreed with 84 % and 60 %
# of those (docs/results/practice.md); which sound was said in its place they heard otherwise, so that it is not told.
SURE = 0.6

# The letters that learners ask about, of all of them.
TOLD_OF = frozenset("ıöüçşğrcjhy")
PART_NAMES = (
    N_("Work on the beginning (around “{letters}”)"),
    N_("Work on the middle (around “{letters}”)"),
    N_("Work on the end (around “{letters}”)"),
)


@dataclass(frozen=True)
class Advice:
    """`mine` and `reference` are what to hear, in seconds of each file; `gain` orders: roughly, points to be had;
    `words` are the words that it names, `sound` the phone that it is about, where it is about one; `sure` whether it is
    told or asked."""

    title: Message
    text: Message
    gain: float
    mine: tuple[Seconds, Seconds] | None = None
    reference: tuple[Seconds, Seconds] | None = None
    words: tuple[str, ...] = ()
    sound: str = ""
    sure: bool = True


def advise(
    result: ScoreResult,
    rule: ScoreResult,
    comparison: AlignedComparison | None,
    *,
    pace: AlignedComparison | None = None,
) -> list[Advice]:
    """At most three, of which no two name the same word. `rule` is the heuristic's answer, whose dimensions
    say what a score of words alone does not. `pace` is the comparison with a person's voice: a synthesiser's is no
    measure of how fast one speaks."""
    if result.overall is None or result.state is not State.SCORED:
        return []
    language = result.target.language
    everything = [
        *_recording(rule), *_words(result.words, language), *_phones(result.words, language),
        *_timing(result, rule, comparison, pace), *_melody(result, rule), *_part(result, rule, comparison),
    ]  # fmt: skip
    chosen: list[Advice] = []
    for advice in sorted(everything, key=lambda advice: -advice.gain):
        taken = {word for other in chosen for word in other.words}
        words = tuple(word for word in advice.words if word not in taken)
        if words != advice.words:
            if not advice.sound:
                continue
            title = _of_sound(known_sound(advice.sound).shown, words, advice.sure)
            advice = replace(advice, title=title, words=words)
        chosen.append(advice)
    return chosen[:MOST]


def _recording(rule: ScoreResult) -> Iterator[Advice]:
    signal = rule.dimensions.get("signal", 100.0)
    if signal < LOW:
        text = N_(
            "Noise or clipping covers the speech. Move closer to the microphone, away from noise, or lower the input "
            "level."
        )
        yield Advice(Message(N_("Make a clearer recording")), Message(text), 100.0 - signal)


def _words(words: tuple[WordScore, ...], language: str) -> Iterator[Advice]:
    missing = [word for word in words if word.verdict is Verdict.MISSING]
    if missing:
        title = Message(N_("Say “{word}” too"), word=missing[0].text)
        if len(missing) > 1:
            listed = ", ".join(f"“{word.text}”" for word in missing[:MOST_LISTED])
            more = " …" if len(missing) > MOST_LISTED else ""
            title = Message(N_("Say these words too: {words}"), words=f"{listed}{more}")
        named = tuple(dict.fromkeys(name for word in missing for name in _named(word, language)))
        yield Advice(title, Message(N_("Read every word, also the small ones.")), 60.0, words=named)
    for word in words:
        span = (word.start_s, word.end_s)
        if word.verdict is not Verdict.MISSING and word.heard:
            title = Message(N_("Did “{word}” sound like “{heard}”?"), word=word.text, heard=word.heard)
            text = Message(N_("Listen to both, then say this word alone a few times."))
            yield Advice(title, text, 55.0, span, words=_named(word, language))


def _phones(words: tuple[WordScore, ...], language: str) -> Iterator[Advice]:
    """Each symbol once, where it is surest; more of the same weigh more."""
    missing = {id(phone) for word in words if word.verdict is Verdict.MISSING for phone in word.phones}
    bad: dict[str, list[tuple[WordScore, PhoneScore]]] = {}
    for word in words:
        for phone in word.phones:
            if phone.verdict in (Verdict.WRONG, Verdict.MISSING) and id(phone) not in missing:
                bad.setdefault(phone.phone, []).append((word, phone))
    for symbol, places in bad.items():
        word, worst = max(places, key=lambda located: located[1].confidence or 0.0)
        sound = known_sound(symbol)
        names = tuple(dict.fromkeys(name for in_word, _phone in places for name in _named(in_word, language)))
        gain = sum(0.6 * (100.0 - phone.score) * (phone.confidence or 0.5) for _word, phone in places)
        hint = Message(sound.hint)
        text = Message(N_("{hint} As in “{example}”."), hint=hint, example=sound.example) if sound.example else hint
        sure = (worst.confidence or 0.0) >= SURE
        span = (word.start_s, word.end_s)
        yield Advice(
            _of_sound(sound.shown, names, sure), text, min(gain, 90.0), span, words=names, sound=symbol, sure=sure
        )


def _of_sound(ipa: str, words: tuple[str, ...], sure: bool) -> Message:
    listed = ", ".join(f"“{word}”" for word in words)
    if not words:
        return Message(N_("The sound {sound}") if sure else N_("Is the sound {sound} right?"), sound=ipa)
    title = N_("The sound {sound} in {words}") if sure else N_("Is the sound {sound} right in {words}?")
    return Message(title, sound=ipa, words=listed)


def _named(word: WordScore, language: str) -> tuple[str, ...]:
    return (lower(word.text, language),)


def _timing(
    result: ScoreResult, rule: ScoreResult, comparison: AlignedComparison | None, pace: AlignedComparison | None
) -> Iterator[Advice]:
    if comparison is None:
        if rule.dimensions.get("timing", 100.0) < LOW:
            text = Message(N_("Say it in one go, at an even pace."))
            yield Advice(Message(N_("Keep an even pace")), text, 100.0 - rule.dimensions["timing"])
        return
    offset, ratio = comparison.mine.offset_s, 1.0 if pace is None else pace.length_ratio
    long = [pause for pause in comparison.pauses_s if pause[1] - pause[0] >= LONG_PAUSE_S]
    fluency = result.dimensions.get("fluency", 0.0)
    if long and fluency < LOW_ASPECT:
        start, end = max(long, key=lambda pause: pause[1] - pause[0])
        title = Message(N_("Avoid the long pause") if len(long) == 1 else N_("Avoid the long pauses"))
        text = Message(
            N_("The longest lasted {seconds:.1f} s. Read it silently first, then say it in one breath."),
            seconds=end - start,
        )
        yield Advice(title, text, 25.0 + 5.0 * len(long), (max(0.0, start + offset - 0.5), end + offset + 0.5))
    elif ratio > TOO_LONG:
        text = Message(N_("You took {ratio:.1f} times as long as the reference. Say it again in one go."), ratio=ratio)
        yield Advice(Message(N_("Speak a little faster")), text, 20.0 * (ratio - 1.0))
    elif ratio < TOO_SHORT:
        text = Message(
            N_("You took {share:.0%} of the time of the reference. Give each syllable its time."), share=ratio
        )
        yield Advice(Message(N_("Speak a little slower")), text, 20.0 * (1.0 / ratio - 1.0))


def _melody(result: ScoreResult, rule: ScoreResult) -> Iterator[Advice]:
    if 0.0 < result.dimensions.get("prosodic", 0.0) < LOW_ASPECT:
        text = N_(
            "Let your voice rise and fall: stress the words that carry the meaning, and keep the small ones short."
        )
        yield Advice(
            Message(N_("Work on melody and rhythm")), Message(text), 5.0 * (LOW_ASPECT - result.dimensions["prosodic"])
        )
    elif rule.dimensions.get("stress", 100.0) < LOW:
        text = N_(
            "Your pitch moves differently from the reference. Listen for the syllable that is higher and stronger."
        )
        yield Advice(Message(N_("Work on stress and melody")), Message(text), 0.7 * (100.0 - rule.dimensions["stress"]))


def _part(result: ScoreResult, rule: ScoreResult, comparison: AlignedComparison | None) -> Iterator[Advice]:
    """Where a word none of whose sounds is marked lies furthest from its reference, told by thirds of its letters."""
    if (
        comparison is None
        or result.target.rubric is not RubricName.WORD
        or _has_marks(result.words)
        or rule.dimensions.get("segments", 100.0) >= LOW
    ):
        return
    worst = comparison.worst()
    middle = sum(worst.reference) / 2 / comparison.reference.duration_s
    third, letters = part_of(result.target.text, middle)
    text = Message(N_("Here you differ most from the reference. Listen to both, one after the other."))
    for letter in dict.fromkeys(letters):
        if letter in TOLD_OF:
            text = Message("{text} {hint}", text=text, hint=Message(TURKISH[letter]))
    title = Message(PART_NAMES[third], letters=letters)
    yield Advice(title, text, 100.0 - rule.dimensions["segments"], *_in_files(worst, comparison))


def _has_marks(words: tuple[WordScore, ...]) -> bool:
    return any(phone.verdict in (Verdict.WRONG, Verdict.MISSING) for word in words for phone in word.phones)


def part_of(text: str, share: float) -> tuple[int, str]:
    """Which third of a text (0, 1, 2) lies at `share` (0-1) of its time, and its letters; roughly, as their lengths
    differ."""
    letters = text.lower().replace(" ", "")
    third = min(2, max(0, int(3 * share)))
    bounds = [round(len(letters) * part / 3) for part in range(4)]
    return third, letters[bounds[third] : bounds[third + 1]] or letters


def _in_files(
    stretch: Stretch, comparison: AlignedComparison
) -> tuple[tuple[Seconds, Seconds], tuple[Seconds, Seconds]]:
    (a, b), (c, d) = stretch.mine, stretch.reference
    mine, theirs = comparison.mine.offset_s, comparison.reference.offset_s
    return (a + mine, b + mine), (c + theirs, d + theirs)
