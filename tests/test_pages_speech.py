"""The pages of the speech scorer: practice by sentence, results, training."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dashboard.components.reading import VERDICTS, heard_in_words
from dashboard.components.sentence_sections import SENTENCES, worst_phones
from pipeline.corpus.importer import import_path
from pipeline.metrics.published import HUMAN, PAPER, PUBLISHED
from pipeline.phones import PHONES, UNKNOWN, bare
from pipeline.records import PhoneScore, Verdict
from pipeline.scoring.speech.deploy import deploy, is_deployed, rollback
from pipeline.scoring.speech.lexicon import pronounce
from pipeline.scoring.speech.model_files import find_speech_model
from pipeline.settings import CHECKOUT, Settings
from tests.test_pages import words

Open = Callable[..., Any]
MASA = CHECKOUT / "data" / "demo" / "references" / "masa.wav"


@pytest.fixture
def deployed(settings: Settings, speech_run: Path) -> Settings:
    deploy(settings, speech_run / "model")
    return settings


def phone(symbol: str, verdict: Verdict, **more: Any) -> PhoneScore:
    return PhoneScore(symbol, more.pop("score", 50.0), 0.0, 0.1, verdict, **more)


def test_what_became_of_a_phone_is_said_in_words() -> None:
    assert heard_in_words(phone("TH", Verdict.WRONG, heard="S")) == "heard as s"
    assert heard_in_words(phone("TH", Verdict.WRONG, heard=UNKNOWN)) == "not like any English sound"
    assert heard_in_words(phone("TH", Verdict.MISSING)) == "not said"
    assert (
        heard_in_words(phone("TH", Verdict.WRONG, heard="S", before=("AH",))) == "heard as s, with an extra ʌ before it"
    )
    assert heard_in_words(phone("TH", Verdict.RIGHT)) == ""


def test_shapes_differ_as_colours_do() -> None:
    assert len({shape for shape, _ in VERDICTS.values()}) == len(Verdict)
    css = (CHECKOUT / "dashboard" / "components" / "reading" / "reading.css").read_text()
    assert all(f'[data-verdict="{verdict}"]' in css for verdict in Verdict)


def test_the_worst_phones_are_the_surest_and_each_once() -> None:
    found = worst_phones([
        phone("TH", Verdict.WRONG, confidence=0.6), phone("R", Verdict.RIGHT, confidence=0.99),
        phone("L", Verdict.MISSING, confidence=0.9), phone("TH", Verdict.WRONG, confidence=0.95),
    ])  # fmt: skip
    assert [p.phone for p in found] == ["TH", "L"]


def test_the_practice_sentences_hold_every_phone() -> None:
    said = {bare(p) for text in SENTENCES for word in pronounce(text) for p in word.variants[0]}
    assert said == set(PHONES)


def test_practice_offers_sentences_and_scores_them(open_page: Open, deployed: Settings) -> None:
    page = open_page("practice", practise="English sentences", learner="Ada")
    said = words(page)
    assert SENTENCES[0] in said
    page.segmented_control(key="recorder-way").set_value("File").run()
    page.file_uploader[0].upload("masa.wav", MASA.read_bytes(), "audio/wav").run()
    said = words(page)
    assert "What you said" in said
    assert "Scored in" in said


def test_practice_without_a_model_says_how_to_get_one(
    open_page: Open, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(Settings, "released_models", property(lambda _: tmp_path))
    assert "no speech model here yet" in words(open_page("practice", practise="English sentences"))


def test_results_stand_beside_paper_systems_and_people(
    open_page: Open, deployed: Settings, speech_manifest: Path
) -> None:
    from click.testing import CliRunner

    from pipeline.cli.main import main

    # The tiny model has heard three of the four voices; only the fourth's recordings are judged.
    command = ["evaluate", "--manifest", str(speech_manifest), "--scorer", "speech", "--json"]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output
    report = json.loads(result.output[result.output.index("{") :])
    assert report["n"] + report["failed"] + report["n_not_held_out"] == 12
    assert {"utterance", "word", "phone", "mdd", "per", "wer", "real_time_factor"} <= report.keys()
    page = open_page("results")
    table = page.dataframe[0].value
    assert {PAPER.system, HUMAN.system} <= set(table["System"])
    assert len(table) == len(PUBLISHED) + 1 + 1 + _released()
    said = words(page)
    assert "Predicted against expert" in said
    assert "Phone error rate and accuracy" in said


def test_results_without_an_evaluation_say_how_to_run_one(
    open_page: Open, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(Settings, "released_models", property(lambda _: tmp_path))
    page = open_page("results")
    assert "pronlab evaluate" in words(page)
    assert len(page.dataframe[0].value) == len(PUBLISHED) + 1


def test_training_a_speech_scorer_needs_the_corpus(open_page: Open, settings: Settings, speech_manifest: Path) -> None:
    page = open_page("train")
    page.segmented_control(key="train-kind").set_value("Speech scorer (phones, words, sentences)").run()
    assert "pronlab import speechocean762" in words(page)
    import_path(settings, speech_manifest, name="ocean")
    page = open_page("train")
    page.segmented_control(key="train-kind").set_value("Speech scorer (phones, words, sentences)").run()
    assert any("whisper_base" in box.options for box in page.selectbox)


def test_a_finished_speech_run_shows_its_figures(open_page: Open, settings: Settings, speech_run: Path) -> None:
    shutil.copytree(speech_run, settings.runs_root / speech_run.name)
    page = open_page("train", run=speech_run.name)
    said = words(page)
    assert "Figures on the held-out speakers" in said
    assert "Deploy" in said


def test_a_speech_model_is_deployed_and_rolled_back(settings: Settings, speech_run: Path) -> None:
    before = find_speech_model(settings)
    deploy(settings, speech_run / "model")
    assert find_speech_model(settings) == settings.deployed_root / "speech-en"
    deploy(settings, speech_run / "model")
    assert is_deployed(settings)
    before_this = rollback(settings)
    assert before_this is not None
    assert before_this.model_id == speech_run.name
    assert rollback(settings) is None
    assert not is_deployed(settings)
    assert find_speech_model(settings) == before


def _released() -> int:
    return int((CHECKOUT / "models" / "speech-en" / "evaluation.json").is_file())
