"""Lessons, advice, progress, what is kept of a learner, and the voice they hear."""

import csv
import io
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from pipeline.audio.check import CUT_OFF
from pipeline.audio.load import Audio, from_samples, load_audio
from pipeline.audio.voice import surest_voice
from pipeline.cli.main import main
from pipeline.corpus.references import is_synthetic, mark, marked, references_to, unmark, unusable
from pipeline.corpus.sets import get_set, read_recordings
from pipeline.corpus.synthetic_voice import spoken, words_per_minute
from pipeline.errors import AccessError, CorpusError
from pipeline.features.alignment import References
from pipeline.features.catalogue import load_extractor
from pipeline.i18n import SOURCE, Multilingual, languages, speaking, translated
from pipeline.people.access import Identity, Role
from pipeline.people.people import EVERY_ROLE
from pipeline.practice.advice import advise, part_of
from pipeline.practice.attempts import Attempt, delete_attempts, read_attempts, save_attempt
from pipeline.practice.comparison import AlignedComparison, Side, compare
from pipeline.practice.consent import Keep, consent_of, drop_recordings, exported, give_consent
from pipeline.practice.coverage import Coverage, coverage_of
from pipeline.practice.delivery import deliveries
from pipeline.practice.lessons import (
    MAX_BYTES,
    Item,
    LessonError,
    add_lesson,
    as_yaml,
    get_lesson,
    list_lessons,
    parse,
    remove_lesson,
)
from pipeline.practice.progress import by_day, by_lesson, by_sound, streak
from pipeline.practice.stress import WordStress, word_stresses
from pipeline.practice.validity import is_attempt, why_no_attempt
from pipeline.records import (
    AudioReport,
    PhoneScore,
    Problem,
    RubricName,
    ScoreResult,
    State,
    Target,
    Verdict,
    WordScore,
    to_json,
)
from pipeline.scoring.attempt import score_attempt
from pipeline.scoring.base import score_audio
from pipeline.scoring.heuristic.scorer import SOUNDS_NOT_SCORED
from pipeline.scoring.other_word import sounds_like_another
from pipeline.scoring.selection import load_scorer, select
from pipeline.scoring.speech.lexicon.dictionary import pronounce
from pipeline.settings import CHECKOUT, Settings
from pipeline.synthesis import espeak

DEMO = CHECKOUT / "data" / "demo"
RATE_HZ = 16_000


# Lessons


@pytest.mark.parametrize(
    "title", ["2026-13-45", r'"\ud800"', r'"a\0b"', r'"a\x1bb"', "[" * 20_000, "[a]", "{a: b}"], ids=lambda t: t[:12]
)
def test_a_lesson_whose_title_cannot_be_shown_is_refused_in_words(settings: Settings, title: str) -> None:
    with pytest.raises(LessonError, match=r"odd (is no YAML|cannot be used)"):
        add_lesson(settings, "odd", f"title: {title}\nlanguage: tr\nitems: [masa]\n".encode())
    (settings.data_root / "lessons").mkdir(parents=True)
    (settings.data_root / "lessons" / "odd.yaml").write_text(f"title: {title}\nlanguage: tr\nitems: [masa]\n")
    lessons, problems = list_lessons(settings)
    assert len(problems) == 1
    assert lessons


@pytest.mark.parametrize(
    "rest", ["kind: [a]", "level: [1]", "level: true", r'about: "\ud800"', r'items: ["\ud800"]', r'items: ["a\0"]']
)
def test_a_lesson_with_values_of_another_type_is_refused_in_words(rest: str) -> None:
    items = "" if rest.startswith("items") else "items: [masa]\n"
    with pytest.raises(LessonError, match=r"odd is no YAML|odd cannot be used"):  # libyaml refuses lone surrogates
        parse("odd", f"title: Odd\nlanguage: tr\n{items}{rest}\n".encode())


def test_every_shipped_lesson_can_be_read_and_said(settings: Settings) -> None:
    lessons, problems = list_lessons(settings)
    assert not problems
    assert {(one.language, one.kind) for one in lessons} == {
        ("en", "words"), ("en", "sentences"), ("tr", "words"), ("tr", "sentences")
    }  # fmt: skip
    for one in lessons:
        assert len(one.items) >= 8
        for item in one.items:
            if one.language == "en":
                pronounce(item.text)


def test_a_lesson_is_added_replaced_and_deleted(settings: Settings) -> None:
    add_lesson(
        settings,
        "market",
        as_yaml("At the market", "en", "sentences", [Item("Two apples, please."), Item("How much?")]),
    )
    found = get_lesson(settings, "market")
    assert (found.own, [item.text for item in found.items]) == (True, ["Two apples, please.", "How much?"])
    add_lesson(settings, "en-th", as_yaml("Mine", "en", "words", [Item("thick")]))
    assert get_lesson(settings, "en-th").title == "Mine", "takes the shipped one's place"
    remove_lesson(settings, "en-th")
    assert get_lesson(settings, "en-th").title == "think and this"
    with pytest.raises(LessonError, match="comes with Pronlab"):
        remove_lesson(settings, "en-th")


def test_a_lesson_is_shown_in_the_language_of_the_learner(settings: Settings) -> None:
    lesson = parse(
        "i",
        b"title: {en: Long i, tr: Uzun i}\nlanguage: en\nabout: {tr: Dudaklar}\n"
        b"items: [{text: sheep, note: {en: Spread the lips., tr: Yay}}, ship]\n",
    )
    with speaking("tr"):
        assert [translated(text) for text in (lesson.title, lesson.about, lesson.note("sheep"))] == [
            "Uzun i", "Dudaklar", "Yay"
        ]  # fmt: skip
    with speaking("de"):
        assert translated(lesson.title) == "Long i", "English where the language is missing"
        assert translated(lesson.about) == "Dudaklar", "what there is where English is missing, too"
    assert to_json(lesson)["title"] == "Long i"


@pytest.mark.parametrize(
    "title", ["{}", "{english: a}", "{en: ''}", "{en: [a]}", "{en: a, tr: %s}" % ("x" * 81), "{1: a}"]
)
def test_rejects_a_title_that_is_no_text_by_language(title: str) -> None:
    with pytest.raises(LessonError, match="title has 1 to 80 characters"):
        parse("odd", f"title: {title}\nlanguage: tr\nitems: [masa]\n".encode())


@pytest.mark.parametrize("language", sorted(set(languages()) - {SOURCE}))
def test_every_shipped_lesson_is_translated(settings: Settings, language: str) -> None:
    for lesson in list_lessons(settings)[0]:
        for text in (lesson.title, lesson.about):
            assert isinstance(text, Multilingual), lesson.id
            assert language in text.texts, lesson.id


def test_everything_wrong_with_a_lesson_is_said_at_once() -> None:
    wrong = "title: ''\nlanguage: English\nkind: songs\nlevel: 9\ntempo: 3\nitems: [yes, 7, {text: a, sound: b}]"
    with pytest.raises(LessonError) as caught:
        parse("bad", wrong.encode())
    for words in ("title has 1", "“English” is not known", "'songs'", "got 9", "'tempo'", "item 1", "item 2", "item 3"):
        assert words in str(caught.value)


def test_what_is_wrong_with_a_hostile_lesson_stays_short() -> None:
    keys = "".join(f"k{number}: 1\n" for number in range(2000))
    for wrong in (keys, f"kind: {'x' * 100_000}\n"):
        with pytest.raises(LessonError) as caught:
            parse("bad", f"title: a\nlanguage: en\n{wrong}items: [a]\n".encode())
        assert len(str(caught.value)) < 5000


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1254"])
def test_a_lesson_may_be_saved_in_any_encoding(encoding: str) -> None:
    lesson = parse("x", "title: Günlük sözler\nlanguage: tr\nitems: [ağaç, ışık]\n".encode(encoding))
    assert (lesson.title, [item.text for item in lesson.items]) == ("Günlük sözler", ["ağaç", "ışık"])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xff\xfe\x00", "is no YAML"), (b"a: [", "is no YAML"), (b"- 1", "has none of them"),
        (b"x" * (MAX_BYTES + 1), "at most 200 kB"), (b"!!python/object/apply:os.system [ls]", "is no YAML"),
    ],
)  # fmt: skip
def test_what_is_no_lesson_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(LessonError, match=words):
        parse("bad", content)


def test_a_lessons_name_stays_in_its_folder(settings: Settings) -> None:
    with pytest.raises(LessonError, match="1 to 60 of a-z"):
        add_lesson(settings, "../../evil", as_yaml("T", "en", "words", [Item("a")]))


def test_a_damaged_lesson_stops_none_of_the_others(settings: Settings) -> None:
    folder = settings.data_root / "lessons"
    folder.mkdir(parents=True)
    (folder / "broken.yaml").write_text("title: [")
    lessons, problems = list_lessons(settings)
    assert len(lessons) >= 8
    assert "broken" in problems[0].message


@pytest.mark.parametrize(
    ("lesson", "rubric", "scorer"),
    [
        ("tr-vowels", RubricName.WORD, "model"), ("en-th", RubricName.SENTENCE, "speech"),
        ("tr-sentences", RubricName.SENTENCE, "heuristic"),
    ],
)  # fmt: skip
def test_who_scores_a_lesson(settings: Settings, lesson: str, rubric: RubricName, scorer: str) -> None:
    found = get_lesson(settings, lesson)
    target = found.target(found.items[0].text)
    assert (target.rubric, select(settings, target).scorer) == (rubric, scorer)


def test_lessons_by_the_command_line(settings: Settings, tmp_path: Path) -> None:
    env = {"PRONLAB_DATA_ROOT": str(settings.data_root), "PRONLAB_MODELS_ROOT": str(settings.models_root)}
    file = tmp_path / "short-i.yaml"
    file.write_bytes(as_yaml("Short i", "en", "words", [Item("sit"), Item("ship")]))
    assert "2 words" in CliRunner().invoke(main, ["lesson", "add", str(file)], env=env).output
    assert "(yours)" in CliRunner().invoke(main, ["lesson", "list"], env=env).output
    assert CliRunner().invoke(main, ["lesson", "remove", "short-i"], env=env).exit_code == 0
    assert CliRunner().invoke(main, ["lesson", "remove", "short-i"], env=env).exit_code == 1


# Reference voices


def test_a_marked_recording_comes_before_every_other_reference(settings: Settings, tiny_set: str) -> None:
    ada = Identity("Ada", EVERY_ROLE)
    recording = next(one for one in read_recordings(settings, tiny_set) if one.text == "araba")
    language = recording.language if recording.language != "und" else "tr"
    assert mark(settings, recording.id, ada).text == "araba"
    assert [one.id for one in marked(settings)] == [recording.id]
    chosen = references_to(settings, "Araba", marked(settings)[0].language)[0]
    assert chosen.name.endswith("araba.wav")
    assert not is_synthetic(settings, chosen)
    unmark(settings, recording.id, ada)
    others = references_to(settings, "araba", language)
    assert not others or is_synthetic(settings, others[0])
    with pytest.raises(CorpusError, match="not marked"):
        unmark(settings, recording.id, ada)
    with pytest.raises(CorpusError, match="no recording"):
        mark(settings, f"{tiny_set}/nowhere", ada)
    with pytest.raises(AccessError, match="Only reviewers and admins can"):
        mark(settings, recording.id, Identity("Lea", frozenset({Role.LEARNER})))


def test_a_damaged_list_of_references_stops_no_scoring(settings: Settings) -> None:
    settings.data_root.mkdir(parents=True)
    (settings.data_root / "references.json").write_text("{")
    assert references_to(settings, "masa", "tr")
    with pytest.raises(CorpusError, match="damaged"):
        marked(settings)


@pytest.mark.parametrize("damage", ["gone", "broken", "a folder", "a circle of links"])
def test_a_marked_reference_that_cannot_be_read_is_named_and_stops_no_score(demo: Settings, damage: str) -> None:
    recording = next(one for one in read_recordings(demo, "demo") if one.text == "elma")
    mark(demo, recording.id, Identity("Ada", EVERY_ROLE))
    assert not unusable(demo)
    path = get_set(demo, "demo").root / recording.path
    path.unlink()
    if damage == "broken":
        path.write_bytes(b"broken")
    elif damage == "a folder":
        path.mkdir()
    elif damage == "a circle of links":
        path.symlink_to(path.name)
    (problem,) = unusable(demo)
    assert recording.id in problem.message
    masa = load_audio(DEMO / "references" / "masa.wav")
    for text in ("masa", "elma"):
        target = Target(text, "tr")
        assert score_audio(load_scorer(demo, "heuristic", target.rubric), masa, target).overall is not None
        assert load_extractor(demo, "reference").depends_on(target)
    listed = CliRunner().invoke(main, ["reference", "list"], env={"PRONLAB_DATA_ROOT": str(demo.data_root)})
    assert listed.exit_code == 0, listed.output
    assert "is left out as a reference of “elma”" in listed.stderr


@pytest.mark.skipif(not espeak.is_installed(), reason="espeak-ng is not installed")
def test_the_synthesiser_speaks_once_and_takes_any_text_as_text(settings: Settings) -> None:
    path = spoken(settings, "-w /tmp/evil; hello", "en")
    assert path is not None
    assert load_audio(path).duration_s > 0.5
    made = path.stat().st_mtime_ns
    assert spoken(settings, "-w /tmp/evil; hello", "en") == path
    assert path.stat().st_mtime_ns == made
    assert spoken(settings, "hello", "xx") is None
    text = "I would like a cup of tea."
    voice = spoken(settings, text, "en")
    assert voice is not None
    assert words_per_minute(load_audio(voice), text) < 175.0, "eSpeak reads it at 261 words a minute where 140 are set"


# What is kept


@pytest.fixture
def audio() -> Audio:
    return load_audio(DEMO / "references" / "masa.wav")


def result(text: str = "masa", overall: float | None = 72.5, words: tuple[WordScore, ...] = ()) -> ScoreResult:
    band = None if overall is None else "fair"
    return ScoreResult(overall, band, "heuristic", "heuristic", "rule", Target(text, "en"), words=words)


def test_nothing_is_known_of_a_learner_before_they_were_asked(settings: Settings) -> None:
    assert consent_of(settings, "Ada") is None
    give_consent(settings, "Ada", Keep.SCORES)
    assert consent_of(settings, "Ada") is Keep.SCORES
    assert consent_of(settings, "Deniz") is None


def test_scores_alone_are_kept_without_sound(settings: Settings, audio: Audio) -> None:
    save_attempt(settings, "Ada", "masa", None, result(), lesson="tr-first-words")
    save_attempt(settings, "Ada", "masa", audio, result())
    attempts = read_attempts(settings, "Ada").attempts
    assert [attempt.audio is None for attempt in attempts] == [True, False]
    assert attempts[0].lesson == "tr-first-words"
    save_attempt(settings, "Ada", "göl", audio, result())
    damaged = next((settings.attempts_root / "Ada" / "göl").glob("*.json"))
    damaged.write_text("{")
    assert drop_recordings(settings, "Ada") == 2, "also where the scores cannot be read"
    assert not list(settings.attempts_root.rglob("*.wav"))
    assert len(read_attempts(settings, "Ada").attempts) == 2


def test_everything_is_exported_and_deleted(settings: Settings, audio: Audio) -> None:
    give_consent(settings, "Ada", Keep.RECORDINGS)
    save_attempt(settings, "Ada", "masa", audio, result(), lesson="tr-first-words")
    save_attempt(settings, "Deniz", "masa", audio, result())
    packed = zipfile.ZipFile(io.BytesIO(exported(settings, "Ada")))
    rows = list(csv.DictReader(io.StringIO(packed.read("attempts.csv").decode())))
    assert rows[0]["text"] == "masa"
    assert rows[0]["recording"] in packed.namelist()
    assert {Path(name).suffix for name in packed.namelist()} == {".csv", ".json", ".wav"}
    assert delete_attempts(settings, "Ada") == 1
    assert consent_of(settings, "Ada") is None
    assert len(read_attempts(settings, "Deniz").attempts) == 1


# Progress


def attempted(
    day: int, overall: float | None, text: str = "masa", words: list[dict[str, Any]] | None = None
) -> Attempt:
    at = datetime(2026, 3, 1, 12, tzinfo=UTC) + timedelta(days=day)
    return Attempt("Ada", text, at.isoformat(), None, {"overall": overall, "words": words or []})


def test_days_hold_means_and_days_without_a_score() -> None:
    days = by_day([attempted(0, 60), attempted(0, 80), attempted(2, None)], UTC)
    assert [(d.n, d.mean, d.best) for d in days] == [(2, 70.0, 80), (1, None, None)]


@pytest.mark.parametrize(
    ("days", "today", "now", "longest"),
    [
        ([], 0, 0, 0),
        ([0], 0, 1, 1),
        ([0], 1, 1, 1),
        ([0], 2, 0, 1),
        ([0, 1, 2, 5, 6], 6, 2, 3),
        ([3, 4, 4, 5], 6, 3, 3),
    ],
)
def test_days_in_a_row(days: list[int], today: int, now: int, longest: int) -> None:
    found = streak([attempted(day, 50) for day in days], date(2026, 3, 1) + timedelta(days=today), UTC)
    assert (found.now, found.longest) == (now, longest)


def test_sounds_come_weakest_first_with_how_they_change() -> None:
    def said(th: float, s: float) -> list[dict[str, Any]]:
        phones = [{"phone": "TH", "score": th, "verdict": "wrong"}, {"phone": "S", "score": s, "verdict": "right"}]
        return [{"phones": phones}]

    attempts = [attempted(day, 70, words=said(30 + 10 * day, 90)) for day in range(6)]
    th, s = by_sound(attempts)
    assert (th.phone, th.n, th.mean, th.before, th.after, th.wrong_share) == ("TH", 6, 55.0, 40.0, 70.0, 1.0)
    assert (s.phone, s.wrong_share) == ("S", 0.0)
    assert by_sound(attempts[:2]) == [], "two of a sound say nothing"


def test_a_lesson_counts_the_best_of_each_text(settings: Settings) -> None:
    lesson = get_lesson(settings, "tr-first-words")
    attempts = [
        attempted(0, 60, "masa"),
        attempted(1, 85, "masa"),
        attempted(1, 70, "elma"),
        attempted(1, 99, "elsewhere"),
    ]
    (found,) = by_lesson(attempts, [lesson, get_lesson(settings, "en-th")])
    assert (found.attempted, found.mastered, found.mean_best) == (2, 1, 77.5)
    unjudged = [replace(attempt, result={**attempt.result, "not_measured": ["segments"]}) for attempt in attempts]
    (found,) = by_lesson(unjudged, [lesson])
    assert (found.attempted, found.mastered) == (2, 0), "length and speed alone make no text good"


# Comparison with the reference


def test_a_stretched_copy_lies_over_its_original() -> None:
    original = load_audio(DEMO / "references" / "pencere.wav")
    slow = from_samples(np.repeat(original.samples.reshape(-1, 1), 1, axis=1).ravel(), RATE_HZ)
    same = compare(slow, original)
    assert same is not None
    assert same.length_ratio == pytest.approx(1.0)
    np.testing.assert_array_equal(same.places, np.arange(len(same.places)))
    assert same.distance.max() < 1.0
    assert not same.slow
    middle = (same.mine.offset_s + 0.2, same.mine.offset_s + 0.3)
    assert same.in_reference(middle) == pytest.approx(middle, abs=0.011)


def test_a_gap_is_a_pause_and_a_slow_stretch() -> None:
    original = load_audio(DEMO / "references" / "pencere.wav")
    half = len(original.samples) // 2
    gap = np.zeros(round(0.5 * RATE_HZ), dtype=np.float32)
    paused = from_samples(np.concatenate([original.samples[:half], gap, original.samples[half:]]), RATE_HZ)
    found = compare(paused, original)
    assert found is not None
    ((start, end),) = found.pauses_s
    assert end - start == pytest.approx(0.5, abs=0.08)
    assert any(one.mine[0] <= end and one.mine[1] >= start for one in found.slow)


def test_the_worst_part_is_where_the_recordings_differ() -> None:
    original, other = (load_audio(DEMO / "references" / f"{word}.wav") for word in ("pencere", "gözlük"))
    third = len(original.samples) // 3
    mixed = np.concatenate([original.samples[: 2 * third], other.samples[:third]])
    found = compare(from_samples(mixed, RATE_HZ), original)
    assert found is not None
    assert sum(found.worst().reference) / 2 > 0.55 * found.reference.duration_s


def test_silence_cannot_be_compared() -> None:
    assert (
        compare(from_samples(np.zeros(RATE_HZ, np.float32), RATE_HZ), load_audio(DEMO / "references/masa.wav")) is None
    )


# Advice


def spoken_word(text: str, *phones: PhoneScore, **more: Any) -> WordScore:
    return WordScore(text, 50.0, 0.1, 0.6, phones, more.pop("verdict", Verdict.RIGHT), **more)


def phone(symbol: str, verdict: Verdict, **more: Any) -> PhoneScore:
    return PhoneScore(symbol, more.pop("score", 20.0), 0.1, 0.2, verdict, **more)


def test_advice_says_how_the_sound_is_made_and_comes_in_the_order_of_use() -> None:
    lisped = {"heard": "S", "verdict": Verdict.WRONG}
    left_out = phone("N", Verdict.MISSING, confidence=0.5, score=60.0)
    said = result("think", 60.0, (
        spoken_word("think", phone("TH", **lisped, confidence=0.9), phone("IH", Verdict.RIGHT)),
        spoken_word("thin", phone("TH", **lisped, confidence=0.8), left_out),
        spoken_word("gone", verdict=Verdict.MISSING),
    ))  # fmt: skip
    found = advise(said, said, None)
    assert [one.title for one in found] == [
        "The sound θ in “think”, “thin”", "Say “gone” too", "Is the sound n right?"
    ]  # fmt: skip
    assert "tongue tip between the teeth" in found[0].text
    assert found[0].mine == (0.1, 0.6)


def test_words_that_were_left_out_are_one_hint() -> None:
    heard = spoken_word("we", heard="he")
    left_out = [spoken_word(text, verdict=Verdict.MISSING) for text in ("go", "to", "the", "old", "town")]
    said = result("we go to the old town", 40.0, (heard, *left_out))
    first, second = advise(said, said, None)
    assert (first.title, first.words) == (
        "Say these words too: “go”, “to”, “the”, “old” …", ("go", "to", "the", "old", "town")
    )  # fmt: skip
    assert second.title == "Did “we” sound like “he”?"


@pytest.mark.parametrize(
    ("changed", "coverage"),
    [
        ({}, Coverage(is_whole=True, judges_sounds=True)),
        ({"words": [{"verdict": "right"}, {"verdict": "missing"}]}, Coverage(is_whole=False, judges_sounds=True)),
        ({"not_measured": ["segments", "stress"]}, Coverage(is_whole=True, judges_sounds=False)),
        ({"not_measured": ["stress"], "words": 5}, Coverage(is_whole=True, judges_sounds=True)),
    ],
)
def test_a_score_knows_what_it_speaks_of(changed: dict[str, Any], coverage: Coverage) -> None:
    assert coverage_of({**to_json(result()), **changed}) == coverage


def test_advice_is_shown_in_the_language_of_the_learner() -> None:
    wrong = phone("TH", Verdict.WRONG, heard="S", confidence=0.9)
    spoken_result = result("think", 60.0, (spoken_word("think", wrong),))
    (advice,) = advise(spoken_result, spoken_result, None)
    assert advice.text.startswith("Put the tongue tip between the teeth")
    with speaking("tr"):
        assert translated(advice.title) == "“think” içindeki θ sesi"
        assert translated(advice.text).startswith("Dil ucunu dişlerin arasına")


def test_no_more_than_three_and_none_for_what_was_not_scored() -> None:
    wrong = [phone(symbol, Verdict.WRONG, confidence=0.9) for symbol in ("TH", "R", "L", "V", "W")]
    assert len(advise(*2 * (result("x", 30.0, (spoken_word("x", *wrong),)),), None)) == 3
    assert advise(result(overall=None), result(overall=None), None) == []
    other = ScoreResult(10.0, "very_poor", "ml_model", "s", "m", Target("x"), state=State.OTHER_TEXT)
    assert advise(other, other, None) == []


def side(n_frames: int) -> Side:
    return Side(
        np.zeros(n_frames, np.float32), np.zeros((n_frames, 40), np.float32), np.zeros(n_frames, np.float32), 0.0
    )


def test_pace_is_judged_beside_a_person_only() -> None:
    slow = AlignedComparison(side(300), side(100), side(100), np.zeros(100, np.float32), (), (), np.arange(100) * 3)
    plain = result("masa", 72.0)
    assert advise(plain, plain, slow) == []
    assert [advice.title for advice in advise(plain, plain, slow, pace=slow)] == ["Speak a little faster"]


def test_what_was_no_attempt_is_told_apart() -> None:
    report = AudioReport(1.0, 16_000, 1, 0.9, 0.0, 0.1, 30.0)
    cut_off = replace(report, problems=(Problem(CUT_OFF, "cut"),))
    cases = [
        (result(), True), (result(overall=None), False),
        (replace(result(overall=0.0), state=State.OTHER_TEXT), False),
        (replace(result(overall=None), state=State.NO_SPEECH), False),
        (replace(result(), audio=cut_off), False),
        (replace(result(), audio=replace(report, clipped_share=0.3)), False),
        (replace(result(), audio=replace(report, clipped_share=0.02)), True),
    ]  # fmt: skip
    assert [why_no_attempt(made) is None for made, _ in cases] == [counts for _, counts in cases]
    assert [is_attempt(to_json(made)) for made, _ in cases] == [counts for _, counts in cases]


@pytest.mark.parametrize("changed", [{"state": "dreamt"}, {"audio": "x"}, {"audio": {"problems": [5]}}])
def test_a_result_that_was_damaged_is_no_attempt_and_breaks_nothing(changed: dict[str, Any]) -> None:
    assert not is_attempt({**to_json(result()), **changed})


def test_what_was_no_attempt_is_in_no_progress(settings: Settings, audio: Audio) -> None:
    good, other = result("ev", 70.0), replace(result("ev", 0.0), state=State.OTHER_TEXT)
    for made in (good, other, good):
        save_attempt(settings, "Ada", "ev", audio, made)
    log = read_attempts(settings, "Ada").attempts
    assert [attempt.overall for attempt in log] == [70.0, None, 70.0]
    assert [(day.mean, day.best) for day in by_day(log)] == [(70.0, 70.0)]


@pytest.mark.parametrize(("share", "part"), [(0.1, (0, "gö")), (0.5, (1, "zl")), (0.99, (2, "ük"))])
def test_parts_of_a_word(share: float, part: tuple[int, str]) -> None:
    assert part_of("gözlük", share) == part


def test_the_louder_longer_higher_vowel_is_the_stressed_one() -> None:
    def vowel(seconds: float, level: float, hertz: float) -> np.ndarray:
        times = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
        return level * sum(np.sin(2 * np.pi * hertz * k * times) / k for k in range(1, 8))

    gap = np.zeros(800)
    strong, weak = (0.25, 0.5, 180.0), (0.1, 0.15, 140.0)

    def stressed(first: tuple[float, ...], second: tuple[float, ...]) -> WordStress:
        sound = np.concatenate([gap, vowel(*first), gap, vowel(*second), gap]).astype(np.float32)
        a, b = 0.05 + first[0], 0.1 + first[0]
        phones = (
            PhoneScore("HH", 90, 0.0, 0.05), PhoneScore("OW", 90, 0.05, a), PhoneScore("T", 90, a, b),
            PhoneScore("EH", 90, b, b + second[0]), PhoneScore("L", 90, b + second[0], b + second[0] + 0.05),
        )  # fmt: skip
        (found,) = word_stresses(
            from_samples(sound, RATE_HZ), result("hotel", 80.0, (WordScore("hotel", 80, 0.05, 1, phones),))
        )
        return found

    right, wrong = stressed(weak, strong), stressed(strong, weak)
    assert (right.expected, right.heard, right.moved) == (1, 1, False)
    assert (wrong.heard, wrong.moved) == (0, True)


@pytest.mark.usefixtures("demo")
def test_the_demo_voice_is_known_to_be_synthetic(settings: Settings) -> None:
    assert is_synthetic(settings, references_to(settings, "masa", "tr")[0])


# What is no attempt


def chords() -> np.ndarray:
    times = np.arange(2 * RATE_HZ) / RATE_HZ
    beat = 0.5 + 0.5 * np.sign(np.sin(2 * np.pi * 2 * times))
    return (sum(np.sin(2 * np.pi * hertz * times) for hertz in (261.6, 329.6, 392.0)) * beat / 8).astype(np.float32)


def test_refuses_music_and_a_whole_sentence_as_an_attempt_at_a_word(settings: Settings) -> None:
    scorer = load_scorer(settings, "heuristic", RubricName.WORD)
    araba = Target("araba", "tr", RubricName.WORD)
    music = score_attempt(scorer, from_samples(chords(), RATE_HZ), araba)
    assert (music.overall, music.state) == (None, State.NO_SPEECH)
    assert "There is no voice" in music.warnings[0]
    words = [load_audio(path).samples for path in sorted((DEMO / "references").glob("*.wav"))[:8]]
    sentence = score_attempt(scorer, from_samples(np.concatenate(words), RATE_HZ), araba)
    assert (sentence.overall, sentence.state) == (None, State.OTHER_TEXT)
    assert "more than “araba” takes" in sentence.warnings[0]
    good = score_attempt(scorer, load_audio(DEMO / "references" / "araba.wav"), araba)
    assert good.overall is not None
    assert good.overall > 80


def test_refuses_another_word_than_was_asked_for(settings: Settings) -> None:
    scorer = load_scorer(settings, "heuristic", RubricName.WORD)
    references = References(settings).of_language("tr")
    words = DEMO / "participant_04" / "kelimeler"
    zeytin = load_audio(words / "18_zeytin.wav")
    refused = score_attempt(scorer, zeytin, Target("araba", "tr", RubricName.WORD), references)
    assert (refused.overall, refused.state) == (None, State.OTHER_TEXT)
    assert refused.warnings[0] == "This is not the word “araba”. Listen to it, then say it."
    assert not is_attempt(to_json(refused))
    assert score_attempt(scorer, zeytin, Target("zeytin", "tr", RubricName.WORD), references).overall is not None
    few = {word: references[word] for word in ("araba", "zeytin")}
    assert score_attempt(scorer, zeytin, Target("araba", "tr", RubricName.WORD), few).overall is not None
    assert score_attempt(scorer, zeytin, Target("uçak", "tr", RubricName.WORD), references).overall is not None


@pytest.mark.parametrize("name", ["heuristic", "reference"])
def test_a_word_that_may_be_another_is_scored_and_that_is_told(settings: Settings, name: str) -> None:
    scorer = load_scorer(settings, name, RubricName.WORD)
    references = References(settings).of_language("tr")
    deniz = load_audio(DEMO / "participant_07" / "kelimeler" / "14_deniz.wav")
    scored = score_attempt(scorer, deniz, Target("kedi", "tr", RubricName.WORD), references)
    assert scored.overall is not None
    told = "It sounds more like “deniz” than like “kedi”."
    assert [warning for warning in scored.warnings if "sounds more like" in warning] == [told]
    assert sounds_like_another(scored) == told
    right = score_attempt(scorer, deniz, Target("deniz", "tr", RubricName.WORD), references)
    assert sounds_like_another(right) is None


def test_a_word_that_cannot_be_checked_says_so(settings: Settings) -> None:
    references = References(settings).of_language("tr")
    deniz = load_audio(DEMO / "participant_07" / "kelimeler" / "14_deniz.wav")
    asked = Target("uçak", "tr", RubricName.WORD)
    by_rule = score_attempt(load_scorer(settings, "heuristic", RubricName.WORD), deniz, asked, references)
    assert [text for text in by_rule.warnings if "there is no reference recording" in text] == [SOUNDS_NOT_SCORED]
    assert "nor whether this is the text" in SOUNDS_NOT_SCORED
    by_model = score_attempt(load_scorer(settings, "acoustic57", RubricName.WORD), deniz, asked, references)
    assert by_model.warnings[0] == (
        "Whether it was the word “uçak” was not checked: there is no reference recording of it."
    )


def test_every_recording_of_the_demo_is_an_attempt(settings: Settings) -> None:
    scorer = load_scorer(settings, "heuristic", RubricName.WORD)
    for path in sorted(DEMO.glob("participant_0[15]/kelimeler/*.wav")):
        target = Target(path.stem[3:], "tr", RubricName.WORD)
        audio = load_audio(path)
        assert score_attempt(scorer, audio, target).state is score_audio(scorer, audio, target).state


def test_learners_who_record_at_once_do_not_disturb_each_other() -> None:
    recordings = [load_audio(path).samples for path in sorted(DEMO.rglob("*.wav"))[:8]]
    alone = [surest_voice(samples) for samples in recordings]
    with ThreadPoolExecutor(4) as learners:
        assert list(learners.map(surest_voice, recordings * 8)) == alone * 8


# How the words were delivered


def hum(seconds: float, hertz: float, to_hertz: float) -> np.ndarray:
    """A voice-like sound whose pitch moves from one to the other."""
    n = round(seconds * RATE_HZ)
    phase = 2 * np.pi * np.cumsum(np.linspace(hertz, to_hertz, n)) / RATE_HZ
    return 0.1 * sum(np.sin(k * phase) / k for k in range(1, 8))


def read_words(*spans: tuple[float, float], verdict: Verdict = Verdict.RIGHT) -> list[WordScore]:
    return [WordScore(f"w{n}", 90.0, a, b, verdict=verdict, token=n) for n, (a, b) in enumerate(spans)]


def test_a_silence_inside_a_phrase_is_a_break() -> None:
    audio = from_samples(np.zeros(5 * RATE_HZ, dtype=np.float32), RATE_HZ)
    words = read_words((0.0, 0.5), (1.2, 1.5), (2.3, 2.6), (3.0, 3.3))
    found = deliveries(audio, "one two, three four", words)
    breaks = [round(word.break_s, 1) for word in found]
    assert breaks == [0.0, 0.7, 0.0, 0.0], "after a comma it is none, nor is a short one"
    missing = read_words(*((n, n + 0.2) for n in range(4)), verdict=Verdict.MISSING)
    assert not any(word.break_s for word in deliveries(audio, "a b c d", missing))
    assert deliveries(audio, "masa", ()) == []


@pytest.mark.parametrize(("to_hertz", "flat"), [(152.0, True), (200.0, False)])
def test_a_phrase_whose_pitch_hardly_moves_is_flat(to_hertz: float, flat: bool) -> None:
    audio = from_samples(hum(1.5, 150.0, to_hertz).astype(np.float32), RATE_HZ)
    spans = ((0.0, 0.5), (0.5, 1.0), (1.0, 1.5))
    assert [one.is_flat for one in deliveries(audio, "a b c", read_words(*spans))] == [flat] * 3
    assert not any(one.is_flat for one in deliveries(audio, "a b", read_words(*spans[:2]))), "two words are no phrase"


def test_a_word_of_no_dictionary_has_no_stress_and_no_error() -> None:
    audio = from_samples(hum(1.0, 150.0, 200.0).astype(np.float32), RATE_HZ)
    phones = tuple(PhoneScore(symbol, 90.0, 0.1 * n, 0.1 * n + 0.1) for n, symbol in enumerate(("HH", "EH", "N", "IY")))
    said = replace(
        result("hennyx", 70.0, (WordScore("hennyx", 90.0, 0.0, 0.4, phones),)), target=Target("hennyx", "en")
    )
    assert word_stresses(audio, said) == ()
