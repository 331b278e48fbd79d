"""The Practise page: consent is asked once, attempts follow lessons, lessons and voices can be added."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from dashboard import zone
from pipeline.audio.encode import to_wav
from pipeline.audio.load import load_audio
from pipeline.corpus.references import mark, marked
from pipeline.corpus.sets import get_set, read_recordings
from pipeline.deployment.prediction_log import PredictionLog
from pipeline.people.access import Identity
from pipeline.people.people import EVERY_ROLE
from pipeline.practice.attempts import read_attempts
from pipeline.practice.consent import Keep, consent_of, give_consent
from pipeline.practice.lessons import add_lesson, get_lesson, remove_lesson
from pipeline.records import RubricName, ScoreResult, Target, Verdict, WordScore
from pipeline.settings import CHECKOUT, Settings
from tests.bench.whisper_study import voiceless
from tests.pages import button, said

Open = Callable[..., Any]
SAID = CHECKOUT / "data" / "demo" / "participant_04" / "kelimeler" / "11_masa.wav"


def named(settings: Settings) -> list[str]:
    """The names in the log of predictions, newest first."""
    log = PredictionLog(settings)
    return [one.participant for model in {day.model_id for day in log.days()} for one in log.newest(model)]


def headings(page: Any) -> list[str]:
    return [heading.value for heading in page.header]


def record(page: Any, recording: Path = SAID) -> None:
    page.segmented_control(key="recorder-way").set_value("file").run()
    page.file_uploader[0].upload("recording.wav", recording.read_bytes(), "audio/wav").run()
    assert not page.exception


@pytest.mark.parametrize(
    ("keep", "n_attempts", "n_recordings"), [("recordings", 1, 1), ("scores", 1, 0), ("nothing", 0, 0)]
)
def test_consent_is_asked_once_and_respected(
    open_page: Open, demo: Settings, keep: str, n_attempts: int, n_recordings: int
) -> None:
    page = open_page("practice", learner="Deniz", text="masa")
    record(page)
    assert not list(demo.attempts_root.rglob("*")), "nothing before the answer"
    page.button(key=f"keep-{keep}").click().run()
    assert consent_of(demo, "Deniz") is Keep(keep)
    assert named(demo) == [""], "before the answer the log holds no name"
    assert len(read_attempts(demo, "Deniz").attempts) == n_attempts
    assert len(list(demo.attempts_root.rglob("*.wav"))) == n_recordings
    assert "What may we keep" not in said(page)
    assert "What may we keep" not in said(open_page("practice", learner="Deniz"))


def test_an_attempt_is_scored_compared_and_counted_for_its_lesson(open_page: Open, demo: Settings) -> None:
    give_consent(demo, "Deniz", Keep.RECORDINGS)
    page = open_page("practice", learner="Deniz", text="masa")
    record(page)
    shown = said(page)
    assert "Your score" in shown
    assert "times as long as the reference" in shown or "as long as the reference" in shown
    (kept,) = read_attempts(demo, "Deniz").attempts
    assert kept.lesson == "tr-first-words"
    progress = open_page("practice", practise="progress", learner="Deniz")
    assert progress.metric[0].value == "1"
    assert progress.dataframe[0].value["Lesson"].tolist() == ["Turkish: First words", "Turkish: Every sound of Turkish"]
    page.run()
    assert len(read_attempts(demo, "Deniz").attempts) == 1, "a redrawn page saves nothing twice"


def test_a_turkish_words_letters_are_shown_as_sounds_and_called_experimental(
    open_page: Open, demo: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[dict[str, Any]] = []
    monkeypatch.setattr("dashboard.components.scored_text._component", lambda: lambda key, data: drawn.append(data))
    page = open_page("practice", text="masa")
    record(page)
    (word,) = drawn[-1]["words"]
    assert [phone["ipa"] for phone in word["phones"]] == ["m", "a", "s", "a"]
    assert [phone["verdict"] for phone in word["phones"]] == ["right"] * 4
    assert word["phones"][3]["title"] == "a [ˈa]: right. Click to listen."
    assert all(phone["spans"]["reference"] for phone in word["phones"])
    assert drawn[-1]["strings"]["hint"].startswith(
        "Experimental: the score and the sounds are judged by models that have learned from synthetic voices"
    )
    shown = said(page)
    assert "Experimental" not in shown and "learned from synthetic" not in shown, "it is told once, beside the sounds"
    assert word["dots"] == {"marks": ["weak", "strong"], "title": "Stress on syllable 2 of 2"}


def test_the_first_hint_is_told_once_and_the_others_beside_the_words(
    open_page: Open, demo: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[dict[str, Any]] = []
    hints: list[dict[str, Any]] = []
    monkeypatch.setattr("dashboard.components.scored_text._component", lambda: lambda key, data: drawn.append(data))
    monkeypatch.setattr("dashboard.components.mouth._component", lambda: lambda key, data: hints.append(data))
    page = open_page("practice", text="kalem")
    record(page, CHECKOUT / "data" / "demo" / "participant_03" / "kelimeler" / "12_kalem.wav")
    first = drawn[-1]["first"]
    assert first["title"] in said(page) or [item["title"] for item in hints[-1]["items"]] == [first["title"]]
    assert first["title"] not in [advice["title"] for advice in drawn[-1]["advice"]]


def test_every_run_tells_the_browser_what_is_chosen(open_page: Open, demo: Settings) -> None:
    """One on a busy machine draws a later run first, and answers with what it finds there."""
    page = open_page("practice", lesson="tr-vowels", text="göl")
    for _ in range(3):
        lesson, text = (
            next(one for one in page.selectbox if one.label.startswith(name)) for name in ("Lesson", "Text")
        )
        assert (lesson.value, lesson.options[lesson.proto.default]) == ("tr-vowels", "Turkish: ı, ö and ü (15)")
        assert (text.value, text.options[text.proto.default]) == ("göl", "göl")
        page.run()


def test_a_lesson_that_goes_away_gives_way_to_the_first(open_page: Open, demo: Settings) -> None:
    add_lesson(demo, "mine", b"title: Mine\nlanguage: tr\nkind: words\nabout: Mine.\nitems: [otobus, tramvay]\n")
    page = open_page("practice", lesson="mine")
    page.button(key="practice-next").click().run()
    assert page.query_params["text"] in ("tramvay", ["tramvay"])
    remove_lesson(demo, "mine")
    page.run()
    assert "araba" in headings(page)
    assert page.query_params["lesson"] in ("tr-first-words", ["tr-first-words"])


def test_everything_goes_and_the_log_forgets_the_name(open_page: Open, demo: Settings) -> None:
    give_consent(demo, "Deniz", Keep.SCORES)
    record(open_page("practice", learner="Deniz", text="masa"))
    assert named(demo) == ["Deniz"]
    page = open_page("practice", practise="progress", learner="Deniz")
    button(page, "Yes, delete everything").click().run()
    assert not page.exception
    assert named(demo) == [""], "what was predicted stays, as nobody's"
    assert not read_attempts(demo, "Deniz").attempts
    assert consent_of(demo, "Deniz") is None


def test_next_moves_on_in_the_lesson_and_the_url_follows(open_page: Open, settings: Settings) -> None:
    page = open_page("practice", lesson="en-th")
    assert page.query_params["text"] in ("think", ["think"])
    page.button(key="practice-next").click().run()
    assert page.query_params["text"] in ("sink", ["sink"])
    page.button(key="practice-back").click().run()
    assert "not s, t or f" in said(page)
    again = open_page("practice", lesson="en-th", text="mother")
    assert "mother" in headings(again)


def test_a_text_of_ones_own_leads_back_to_the_lesson(open_page: Open, settings: Settings) -> None:
    page = open_page("practice", lesson="tr-vowels", text="kendi")
    assert "kendi" in headings(page)
    page.button(key="practice-return").click().run()
    assert page.query_params["text"] in ("kır", ["kır"])


def test_a_lesson_that_there_is_not_is_named(open_page: Open, settings: Settings) -> None:
    page = open_page("practice", lesson="free-xx")
    assert "There is no lesson “free-xx” here." in said(page)
    assert "araba" in headings(page)


def test_a_lesson_is_written(open_page: Open, settings: Settings) -> None:
    page = open_page("practice", practise="library")
    page.text_input[0].set_value("Şehirde")
    page.text_area[0].set_value("otobüs\ntramvay\n\n")
    button(page, "Add lesson").click().run()
    assert page.error[0].value == "Choose the language of the lesson.", (
        "nothing is scored as another language by chance"
    )
    page.selectbox(key="lesson-language").set_value("tr")
    button(page, "Add lesson").click().run()
    assert not page.exception
    assert page.text_input[0].value == "", "the browser is told that the field is empty"
    assert [item.text for item in get_lesson(settings, "sehirde").items] == ["otobüs", "tramvay"]
    assert "sehirde" in page.dataframe[0].value["File"].tolist()


def test_a_lesson_that_is_none_is_refused_in_words(open_page: Open, settings: Settings) -> None:
    page = open_page("practice", practise="library")
    page.text_input[0].set_value("Empty")
    page.selectbox(key="lesson-language").set_value("tr")
    button(page, "Add lesson").click().run()
    assert "1 to 500 texts" in page.error[0].value


def test_a_recording_becomes_the_voice_that_learners_hear(open_page: Open, settings: Settings, tiny_set: str) -> None:
    page = open_page("practice", practise="library")
    box = page.selectbox(key="reference-recording")
    box.select_index(0).run()
    button(page, "Add reference").click().run()
    assert not page.exception
    assert len(marked(settings)) == 1


@pytest.mark.parametrize("content", [None, b"broken"])
def test_an_attempt_is_scored_though_its_marked_reference_cannot_be_read(
    open_page: Open, demo: Settings, content: bytes | None
) -> None:
    give_consent(demo, "Deniz", Keep.SCORES)
    recording = next(one for one in read_recordings(demo, "demo") if one.text == "masa")
    mark(demo, recording.id, Identity("Ada", EVERY_ROLE))
    path = get_set(demo, "demo").root / recording.path
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    page = open_page("practice", learner="Deniz", text="masa")
    assert "synthetic voice" in said(page), "the next reference takes its place"
    record(page)
    assert "Your score" in said(page)
    assert len(read_attempts(demo, "Deniz").attempts) == 1


def test_a_whisper_is_told_beside_its_score(open_page: Open, demo: Settings, tmp_path: Path) -> None:
    whispered = voiceless(load_audio(CHECKOUT / "data" / "demo" / "references" / "masa.wav"), np.random.default_rng(1))
    recording = tmp_path / "whisper.wav"
    recording.write_bytes(to_wav(whispered.samples, whispered.sample_rate_hz))
    page = open_page("practice", text="masa")
    record(page, recording)
    assert "Your score" in said(page)
    assert any("as in a whisper" in warning.value for warning in page.warning)
    assert not any("as in a whisper" in caption.value for caption in page.caption), "it is told once"


def test_a_text_whose_sounds_were_not_judged_is_called_nothing_else(
    open_page: Open, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[dict[str, Any]] = []
    monkeypatch.setattr("dashboard.components.scored_text._component", lambda: lambda key, data: drawn.append(data))
    page = open_page("practice", lesson="tr-market")
    record(page)
    shown = said(page)
    assert "Only length and speed were scored" in shown
    assert "scored by rule" not in " ".join(caption.value for caption in page.caption)
    assert "Well done" not in shown
    assert "easy to understand" not in shown
    (word,) = drawn[-1]["words"]
    assert (word["verdict"], word["score"], drawn[-1]["legend"]) == ("", None, [])


@pytest.mark.parametrize(
    ("verdict", "told"), [(Verdict.RIGHT, "Well done"), (Verdict.ACCENTED, "“fresh” was the least clear word.")]
)
def test_nothing_stands_out_only_where_every_word_is_shown_as_right(verdict: Verdict, told: str) -> None:
    from dashboard.sections.practice.verdict import _without_advice

    words = (WordScore("sells", 95.0, 0.0, 0.4), WordScore("fresh", 87.0, 0.4, 0.8, verdict=verdict))
    target = Target("Sells fresh", "en", RubricName.SENTENCE)
    result = ScoreResult(83.0, "good", "ml_model", "speech", "m", target, words=words)
    assert told in _without_advice(SimpleNamespace(result=result, rule=result))  # type: ignore[arg-type]


def test_a_recording_that_is_cut_off_is_called_that(open_page: Open, demo: Settings, tmp_path: Path) -> None:
    cut = tmp_path / "cut.wav"
    cut.write_bytes(SAID.read_bytes()[: SAID.stat().st_size // 2])
    page = open_page("practice", text="masa")
    record(page, cut)
    assert [error.value for error in page.error] == ["This recording is cut off. Copy or record it again."]


def test_days_are_those_of_the_visitors_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    late = datetime(2026, 11, 26, 23, 30, tzinfo=UTC)
    for timezone, day in (("Europe/Istanbul", 27), ("America/New_York", 26)):
        monkeypatch.setattr("dashboard.zone.st.context", SimpleNamespace(timezone=timezone))
        assert zone.local(late).day == day
    for unknown in (None, "Nowhere/Atlantis", "../x"):
        monkeypatch.setattr("dashboard.zone.st.context", SimpleNamespace(timezone=unknown))
        assert zone.visitors_zone() is None


def test_whoever_comes_next_sees_no_result_of_the_learner_before(open_page: Open, demo: Settings) -> None:
    page = open_page("practice", text="masa")
    record(page)
    page.text_input(key="learner").set_value("Deniz").run()
    assert "Your score" in said(page), "a name that is typed later keeps the recording"
    page.text_input(key="learner").set_value("Cem").run()
    assert "Your score" not in said(page)
    assert not page.exception


def test_a_text_that_cannot_be_read_is_refused_before_it_is_recorded(open_page: Open, settings: Settings) -> None:
    page = open_page("practice", lesson="free-tr", text="...")
    assert [error.value for error in page.error] == ["“...” contains no words. Write what is to be said."]
    assert "2. Record" not in said(page)
