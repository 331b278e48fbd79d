"""The learner's path: minimal pairs, placement, the weakest sounds, drills that come back."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest

from pipeline.audio.load import Audio, load_audio
from pipeline.features.whisper import WHISPERED_PAIR
from pipeline.phones import PHONES, bare
from pipeline.practice.attempts import Attempt
from pipeline.practice.consent import Keep, give_consent
from pipeline.practice.contrasts import Contrast, contrast_of, contrasts, contrasts_with
from pipeline.practice.lessons import LessonError, get_lesson, list_lessons, parse
from pipeline.practice.pair_scoring import PairHeard, hear_pair
from pipeline.practice.path import PLACEMENTS, level_of, n_on, placement, weakest
from pipeline.practice.review import record, reviews
from pipeline.scoring.speech.lexicon.dictionary import in_dictionary, pronounce
from pipeline.settings import CHECKOUT, Settings
from pipeline.text.turkish import SOUNDS, sounds_of
from tests.bench.whisper_study import voiceless

EVERY_CONTRAST = [contrast for language in ("en", "tr") for contrast in contrasts(language)]


@pytest.mark.parametrize("contrast", EVERY_CONTRAST, ids=lambda contrast: contrast.id)
def test_the_words_of_a_pair_differ_in_the_two_sounds_alone(contrast: Contrast) -> None:
    def said(word: str) -> tuple[str, ...]:
        return tuple(map(bare, in_dictionary(word)[0])) if contrast.language == "en" else sounds_of(word)

    assert contrast.pairs
    for first, second in contrast.pairs:
        differing = {(a, b) for a, b in zip(said(first), said(second), strict=True) if a != b}
        assert differing == {contrast.sounds}, (first, second)


def test_a_contrast_is_known_by_its_id_and_by_its_sounds() -> None:
    assert len({contrast.id for contrast in EVERY_CONTRAST}) == len(EVERY_CONTRAST)
    ship = contrast_of("en-iy-ih")
    assert ship is not None
    assert ship.pairs[0] == ("sheep", "ship")
    assert ship.shown_sounds == ("i", "ɪ")
    assert ship in contrasts_with("en", "IH")
    assert contrast_of("en-q-q") is None
    assert contrast_of("") is None


def test_the_placements_are_ten_items_with_every_sound(settings: Settings) -> None:
    english, turkish = (get_lesson(settings, PLACEMENTS[language]) for language in ("en", "tr"))
    assert len(english.items) == len(turkish.items) == 10
    spoken = {bare(p) for item in english.items for word in pronounce(item.text) for p in word.variants[0]}
    assert spoken == set(PHONES)
    assert {sound for item in turkish.items for sound in sounds_of(item.text)} == set(SOUNDS)


def attempt(text: str, overall: float, language: str = "tr", **more: Any) -> Attempt:
    result = {
        "overall": overall, "state": "scored", "scoring_method": "ml_model", "target": {"language": language}, **more
    }  # fmt: skip
    return Attempt("Deniz", text, more.pop("at", "2026-11-26T09:00:00+00:00"), None, result)


def test_a_placement_knows_what_is_left_and_which_level_suits(settings: Settings) -> None:
    lessons = list_lessons(settings)[0]
    items = [item.text for item in get_lesson(settings, "tr-placement").items]
    begun = placement([attempt(items[0], 50.0), attempt(items[0], 70.0)], lessons, "tr")
    assert begun is not None
    assert (begun.n_done, begun.left[0], begun.level) == (1, items[1], None)
    done = placement([attempt(text, 74.0) for text in items], lessons, "tr")
    assert done is not None
    assert (done.left, done.level) == ((), 3)
    assert [level_of(mean) for mean in (95.0, 80.0, 60.0, 12.0)] == [5, 4, 2, 1]
    assert placement([], lessons, "de") is None


def test_a_level_follows_from_judged_sounds_and_is_one_that_there_is(settings: Settings) -> None:
    lessons = list_lessons(settings)[0]
    items = [item.text for item in get_lesson(settings, "tr-placement").items]
    highest = max(lesson.level for lesson in lessons if lesson.language == "tr")
    excellent = placement([attempt(text, 97.0) for text in items], lessons, "tr")
    assert excellent is not None
    assert excellent.level == highest < level_of(97.0)
    by_length: dict[str, Any] = {"not_measured": ["segments", "stress"]}
    lengths = [attempt(text, 75.0, **by_length) for text in items]
    by_rule = placement(lengths, lessons, "tr")
    assert by_rule is not None
    assert (by_rule.left, by_rule.level) == ((), None)
    one_judged = placement([*lengths, attempt(items[0], 65.0)], lessons, "tr")
    assert one_judged is not None
    assert one_judged.level == 2


def test_the_weakest_sounds_come_first_with_their_drills() -> None:
    def spoken(phones: dict[str, float]) -> Attempt:
        scored = [{"phone": phone, "score": score, "verdict": "right"} for phone, score in phones.items()]
        return attempt("x", 70.0, "en", words=[{"phones": scored}])

    weak = weakest([spoken({"TH": 40.0, "IY": 60.0, "S": 95.0})] * 3 + [attempt("ı", 20.0)] * 3, "en")
    assert [(sound.sound, sound.mean) for sound in weak] == [("TH", 40.0), ("IY", 60.0)]
    assert weak[0].drills[0].pairs[0] == ("think", "sink")
    letters = weakest([attempt("göl", 50.0), attempt("gör", 60.0), attempt("ön", 70.0), attempt("al", 90.0)] * 3, "tr")
    assert letters[0].sound == "g", "the words with g were the lowest"
    assert {sound.sound for sound in letters} <= {"g", "ö", "r", "l", "n"}


def test_attempts_of_a_day_are_counted_in_the_learners_time_zone() -> None:
    late = Attempt("Deniz", "ev", "2026-11-26T22:30:00+00:00", None, {"overall": 80.0, "state": "scored"})
    refused = Attempt("Deniz", "ev", "2026-11-26T09:00:00+00:00", None, {"overall": None, "state": "no_speech"})
    istanbul = timezone(timedelta(hours=3))
    assert [n_on([late, refused], date(2026, 11, day), istanbul) for day in (26, 27)] == [0, 1]


def test_a_drill_comes_back_at_growing_intervals(settings: Settings) -> None:
    now, waits = datetime(2026, 11, 26, tzinfo=UTC), []
    assert record(settings, "Deniz", "en-iy-ih", 1.0, now=now) is None, "nothing before the answer"
    give_consent(settings, "Deniz", Keep.SCORES)
    for _ in range(4):
        planned = record(settings, "Deniz", "en-iy-ih", 0.8, now=now)
        assert planned is not None
        waits.append(planned.due - now)
        now = planned.due
    assert waits[0] >= timedelta(days=1)
    assert waits == sorted(waits)
    assert waits[-1] > 4 * waits[0]
    failed = record(settings, "Deniz", "en-iy-ih", 0.2, now=now)
    assert failed is not None
    assert failed.due - now < waits[-1] / 4
    record(settings, "Deniz", "tr-ı-i", 0.0, now=now - timedelta(days=9))
    assert [review.drill for review in reviews(settings, "DENİZ")] == ["tr-ı-i", "en-iy-ih"]
    (settings.attempts_root / "Deniz" / "drills.json").write_text('{"learner": "Deniz", "drills": {"a": 3}}')
    assert reviews(settings, "Deniz") == []


def test_silence_is_no_attempt_at_a_pair(settings: Settings) -> None:
    silence = Audio(np.zeros(16_000, dtype=np.float32), 16_000, 16_000, 1)
    heard = hear_pair(settings, silence, "tr", ("kır", "kir"), None)
    assert heard.word is None
    assert heard.no_attempt
    assert heard != PairHeard(None)


@pytest.mark.parametrize("rest", ["theme: [a]", "sounds: TH", "sounds: [XX]", "sounds: [[TH]]", r'theme: "\0"'])
def test_rejects_a_theme_or_sounds_that_are_none(rest: str) -> None:
    with pytest.raises(LessonError, match=r"theme has|sounds is|is no YAML"):
        parse("odd", f"title: Odd\nlanguage: en\nitems: [think]\n{rest}\n".encode())


def test_a_lesson_may_say_its_theme_and_sounds() -> None:
    lesson = parse("th", b"title: Th\nlanguage: en\ntheme: Food\nsounds: [TH, DH]\nitems: [think]\n")
    assert (lesson.theme, lesson.sounds) == ("Food", ("TH", "DH"))


def test_a_whispered_word_of_a_pair_is_told_as_one(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    masa = load_audio(CHECKOUT / "data" / "demo" / "references" / "masa.wav")
    monkeypatch.setattr("pipeline.practice.pair_scoring.voice_lead", lambda _audio, _voices: 2.0)
    spoken = hear_pair(settings, masa, "tr", ("masa", "kasa"), (masa, masa))
    assert spoken == PairHeard("masa")
    whispered = hear_pair(settings, voiceless(masa, np.random.default_rng(1)), "tr", ("masa", "kasa"), (masa, masa))
    assert (whispered.word, whispered.doubt) == ("masa", WHISPERED_PAIR)
