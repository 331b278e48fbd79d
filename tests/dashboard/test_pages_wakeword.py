"""The Wake word page: each step with nothing, with clips, with a trained detector."""

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from dashboard.components.webrtc import new_resampler, resampled
from dashboard.sections.wakeword.evaluate import condition_text
from dashboard.sections.wakeword.live import Listener
from dashboard.services import wakeword_detectors
from dashboard.services.wakeword_clips import SpeakTask
from dashboard.services.wakeword_detectors import DetectorChoice
from pipeline import artifacts, jsonl
from pipeline.audio.encode import to_wav
from pipeline.audio.load import load_audio
from pipeline.cli.wakeword.clips import speak
from pipeline.errors import AudioError, CorpusError
from pipeline.i18n import speaking
from pipeline.jobs.executors.job import Job
from pipeline.jobs.launcher import end_now
from pipeline.presets import build, merged
from pipeline.runs import RunDirectory
from pipeline.settings import CHECKOUT, Settings
from pipeline.wakeword.cascade import Verdict
from pipeline.wakeword.config import WakewordConfig, load_preset
from pipeline.wakeword.data.clip_library import library_names, open_library
from pipeline.wakeword.data.clips import SPOKEN
from pipeline.wakeword.data.speaking import ABOUT
from pipeline.wakeword.evaluation.evaluate import EvaluationTask
from pipeline.wakeword.file_detection import Detection, FileDetections, detector_of
from pipeline.wakeword.file_names import BUNDLE, EVALUATION, EXPORTS
from pipeline.wakeword.finished_run import evaluate_run, open_finished_run, robustness_of, set_threshold
from pipeline.wakeword.learnt_word import LearntFrom, LearntWord, save_learnt_word
from pipeline.wakeword.owner.enrolment import OwnerMatch, owners
from pipeline.wakeword.packaging.bundle import write_bundle
from pipeline.wakeword.packaging.export import export
from pipeline.wakeword.phones import listener_folder
from pipeline.wakeword.run import train_wakeword
from pipeline.wakeword.runtime.model_files import save_info
from pipeline.wakeword.runtime.runner import WordWeights
from pipeline.wakeword.setting_groups import GROUPS, settings_of
from tests.pages import button, said
from tests.runs.test_runs import until
from tests.wakeword_sounds import RATE_HZ, chirp, collect_chirps

Open = Callable[..., Any]
SECOND = np.full(RATE_HZ, 0.1, dtype=np.float32)


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Clips of the word `chirp`, some of them for evaluation; to be copied, not changed."""
    root = tmp_path_factory.mktemp("chirps")
    installation = Settings(data_root=root / "data", models_root=root / "models")
    collect_chirps(installation, root)
    return installation


@pytest.fixture(scope="module")
def trained_run(collected: Settings) -> RunDirectory:
    """To be copied, not changed."""
    words = open_library(collected, "chirp")
    given = {
        "name": "chirp", "data.positive": [str(words.folder("positive"))], "mining.rounds": 0,
        "data.negative": [str(words.folder("negative"))], "data.noise": [str(words.folder("noise"))],
    }  # fmt: skip
    config = build(WakewordConfig, merged(load_preset("tiny"), given))
    run = RunDirectory.create(collected.runs_root, kind="wakeword", name="chirp", config=config, seed=0)
    train_wakeword(collected, config, run)
    return run


@pytest.fixture
def chirps(settings: Settings, collected: Settings) -> Settings:
    """An installation of the test's own with those clips."""
    shutil.copytree(
        open_library(collected, "chirp").root,
        open_library(settings, "chirp", create=True).root,
        dirs_exist_ok=True,
    )
    return settings


@pytest.fixture
def detector(chirps: Settings, trained_run: RunDirectory) -> RunDirectory:
    return RunDirectory(shutil.copytree(trained_run.path, chirps.runs_root / trained_run.id))


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ("1 Data", "There are no clips yet"), ("2 Configuration", "Add or speak clips of the word under 1 Data first"),
        ("3 Training", "No detector has been trained yet"), ("4 Evaluation", "No detector has been trained yet"),
        ("5 Export", "No detector has been trained yet"), ("Help", "How many recordings?"),
        ("7 Nowhere", "There are no clips yet"),
    ],
)  # fmt: skip
def test_an_empty_installation_says_what_comes_first(open_page: Open, step: str, words: str) -> None:
    page = open_page("wakeword", step=step)
    assert not page.exception
    assert words in said(page)


def field(page: Any, preset: str, setting: str, version: int = 0) -> Any:
    key = f"wakeword-fields-{preset}-{version}-{setting}"
    widgets = (*page.number_input, *page.selectbox, *page.checkbox, *page.text_input)
    return next(widget for widget in widgets if widget.key == key)


def test_a_word_is_made_checked_and_divided(open_page: Open, chirps: Settings) -> None:
    words = open_library(chirps, "chirp")
    (words.folder("positive") / "broken.wav").write_bytes(b"RIFF")
    page = open_page("wakeword", step="1 Data")
    button(page, "Check clips").click().run()
    assert not page.exception
    assert "1 clip cannot be used" in said(page)
    button(page, "Yes, move them").click().run()
    assert not (words.folder("positive") / "broken.wav").exists()
    assert list((words.root / "quarantine").rglob("broken.wav"))
    button(page, "Check clips").click().run()
    assert "clips can be used." in said(page)
    button(page, "Set aside").click().run()
    assert (len(words.files("positive")), len(words.files("evaluation/positive"))) == (11, 13)
    assert "clips can be used." not in said(page), "that was said of clips that are elsewhere now"
    button(page, "Put back").click().run()
    assert (len(words.files("positive")), len(words.files("evaluation/positive"))) == (24, 0)
    n, n_kept = len(words.files("negative")), len(words.files("evaluation/background"))
    page.selectbox(key="aside-chirp").set_value("negative").run()
    button(page, "Set aside").click().run()
    left = len(words.files("negative"))
    assert 0 < left < n
    assert len(words.files("evaluation/background")) == n_kept + n - left
    assert f"Other speech: {n_kept + n - left} of {n_kept + n}" in page.selectbox(key="aside-chirp").options
    page.text_input(key="wakeword-aside-source").set_value("(nobody)").run()
    button(page, "Set aside").click().run()
    assert "finds no speaker in" in page.error[0].value
    assert (len(words.files("negative")), len(words.files("positive"))) == (left, 24)


def test_a_second_word_is_the_one_shown_once_it_is_made(open_page: Open, settings: Settings) -> None:
    open_library(settings, "computer", create=True)
    page = open_page("wakeword", step="1 Data")
    assert page.selectbox(key="wake-word").value == "computer"
    next(field for field in page.text_input if field.label == "New word or phrase").set_value("snowboy")
    button(page, "Create").click().run()
    assert not page.exception
    assert page.selectbox(key="wake-word").value == "snowboy"
    assert next(field for field in page.text_input if field.label == "New word or phrase").value == ""
    assert page.text_input(key="speak-text-snowboy").value == "snowboy", "what is spoken now"
    assert page.selectbox(key="wake-word").set_value("computer").run().selectbox(key="wake-word").value == "computer"


def test_a_reload_in_a_step_of_runs_keeps_the_word_and_the_preset(open_page: Open, chirps: Settings) -> None:
    open_library(chirps, "another", create=True)  # the first by name
    page = open_page("wakeword", step="1 Data")
    page.selectbox(key="wake-word").set_value("chirp").run()
    page.segmented_control(key="step").set_value("2 Configuration").run()
    page.selectbox(key="preset").set_value("small").run()
    page.segmented_control(key="step").set_value("3 Training").run()
    address = {name: "".join(page.query_params[name]) for name in ("step", "wake-word", "preset")}
    page = open_page("wakeword", **address)
    page.segmented_control(key="step").set_value("2 Configuration").run()
    assert page.selectbox(key="wake-word").value == "chirp"
    assert page.selectbox(key="preset").value == "small"


def test_a_word_with_spoken_clips_alone_is_checked_and_varied_as_any_other(open_page: Open, chirps: Settings) -> None:
    clips = open_library(chirps, "chirp")
    for label in ("positive", "negative"):
        (clips.spoken / label).mkdir(parents=True)
        clips.folder(label).rename(clips.spoken / label / "voice")
    (clips.spoken / "spoken.jsonl").write_text(
        "".join(json.dumps({"label": label}) + "\n" for label in ("positive", "negative"))
    )
    page = open_page("wakeword", step="1 Data")
    button(page, "Check clips").click().run()
    assert not page.exception and not page.error
    assert any("clips can be used" in message.value for message in page.success)
    assert any("Variations in training" in header.value for header in page.header)
    chosen = next(field for field in page.selectbox if field.key == "wakeword-clip-chirp").options[0]
    assert chosen.startswith("voice/")
    button(page, "Vary").click().run()
    assert not page.exception and not page.error
    button(page, "Draw a batch").click().run()
    assert not page.exception and not page.error


def test_files_are_kept_named_where_they_are_bad_and_never_twice(open_page: Open, settings: Settings) -> None:
    words = open_library(settings, "computer", create=True)
    good, other = to_wav(SECOND), to_wav(SECOND / 2)
    words.add("negative", "old.wav", other)
    page = open_page("wakeword", step="1 Data")
    given = [("a.wav", good), ("b*c*.wav", b"no audio"), ("again.wav", good), ("other.wav", other)]
    page.file_uploader[0].set_value([(name, content, "audio/wav") for name, content in given]).run()
    button(page, "Save 4 clips").click().run()
    assert [path.name for path in words.files("positive")] == ["a.wav"]
    assert list(page.dataframe[0].value["Files"]) == ["1", "1"], "counted at once"
    text = said(page)
    assert "1 clip saved." in text
    assert "again.wav (The word)" in text and "other.wav (Other speech)" in text
    assert "1 file cannot be used:" in text and "- b\\*c\\*.wav cannot be read as audio" in text
    assert page.file_uploader[0].value == []
    page.selectbox(key="wakeword-part").set_value("noise").run()
    assert "cannot be read as audio" in said(page), "until other files are saved"


def test_chosen_clips_are_deleted_after_a_question(open_page: Open, settings: Settings) -> None:
    words = open_library(settings, "computer", create=True)
    for name in ("a.wav", "b.wav", "c.wav"):
        words.add("noise", name, to_wav(SECOND))
    page = open_page("wakeword", step="1 Data")
    assert page.selectbox(key="delete-part-computer").options == ["Noise"], "what there is"
    page.multiselect(key="delete-clips-computer-noise").set_value(["a.wav", "c.wav"]).run()
    assert "2 clips will be permanently deleted" in said(page) and len(words.files("noise")) == 3
    button(page, "Delete permanently").click().run()
    assert not page.exception
    assert [path.name for path in words.files("noise")] == ["b.wav"]
    assert page.multiselect(key="delete-clips-computer-noise").options == ["b.wav"]
    with pytest.raises(CorpusError, match="There is no clip"):
        words.remove("noise", ["b.wav", "../noise/b.wav"])
    assert words.files("noise"), "nothing is deleted where one is not there"


def test_what_is_open_for_a_new_word_stays_open(open_page: Open, settings: Settings) -> None:
    words = open_library(settings, "computer", create=True)
    page = open_page("wakeword", step="1 Data")
    words.add("positive", "a.wav", to_wav(SECOND))
    opened = {each.label: each.proto.expanded for each in page.run().expander}
    assert opened["Add clips"] and opened["Speak the word"]


def test_a_typed_word_is_heard_and_spoken(open_page: Open, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    words = open_library(settings, "computer", create=True)
    heard: list[tuple[str, str]] = []
    started: list[tuple[Any, ...]] = []
    monkeypatch.setattr(
        "dashboard.services.wakeword_clips.said",
        lambda text, language: heard.append((text, language)) or to_wav(np.ones(800)),
    )
    monkeypatch.setattr("dashboard.services.wakeword_clips.start_speaking", lambda *given: started.append(given))
    page = open_page("wakeword", step="1 Data")
    page.text_area(key="speak-say-computer").set_value("komputer\n[[k@mpj'u:t3]]\n")
    button(page, "Listen").click().run()
    assert heard == [("komputer", "en"), ("[[k@mpj'u:t3]]", "en")]
    button(page, "Similar phrases").click().run()
    assert "commuter" in said(page)
    button(page, "Speak clips").click().run()
    assert started == [(words, SpeakTask("computer", "en", 400, 200, 200, ("komputer", "[[k@mpj'u:t3]]")))]
    assert "import English recordings on the Data page" in said(page)
    labels = ("positive", "positive", "hard_negative", "negative")
    jsonl.write(words.spoken / SPOKEN, [{"label": label} for label in labels])
    page = open_page("wakeword", step="1 Data")
    assert "2 synthetic clips of the word; 1 of similar phrases; 1 of other words." in said(page)
    counted = page.dataframe[0].value
    assert list(counted["Synthetic"]) == ["2", "1", "1"] and list(counted["Files"]) == ["0"] * 3, (
        "none of them is hidden"
    )
    assert "Start training" in [b.label for b in open_page("wakeword", step="2 Configuration").button]


def test_sounds_of_recordings_are_joined_to_the_word(
    open_page: Open, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = open_library(settings, "computer", create=True)
    words.add("negative", "a.wav", to_wav(SECOND))
    started: list[Any] = []
    monkeypatch.setattr("pipeline.jobs.launcher.launch", lambda *_, argv, **__: started.append(argv))
    page = open_page("wakeword", step="1 Data")
    page.multiselect(key="speak-joined-computer").set_value(["computer: negative"]).run()
    page.number_input(key="speak-other").set_value(30)
    page.text_input(key="speak-source").set_value("(x+)y")
    button(page, "Speak clips").click().run()
    assert "finds no speaker" in said(page) and not started
    page.text_input(key="speak-source").set_value("([^/]+)/[^/]+$")
    button(page, "Speak clips").click().run()
    assert not page.exception
    (argv,) = started
    assert argv[2:] == [
        "--out", str(words.spoken), "--language", "en", "--clips", "400", "--near", "200", "--other", "30",
        "--from-speech", str(words.folder("negative")), "--source", "([^/]+)/[^/]+$", "--", "computer",
    ]  # fmt: skip
    run = RunDirectory.create(settings.jobs_root, kind="wakeword-speak", name="x", config={})
    command = Job(settings, run, tuple(argv)).command()
    given = speak.make_context("speak", command[command.index("speak") + 1 :]).params
    assert (given["word"], given["run"], given["n_other"]) == ("computer", run.path, 30)
    page.selectbox(key="speak-language-computer").set_value("tr").run()
    assert not [box for box in page.multiselect if box.key == "speak-joined-computer"], "English alone"


def test_the_steps_that_a_preset_runs_are_said(open_page: Open, chirps: Settings) -> None:
    page = open_page("wakeword", step="1 Data")
    button(page, "Go to 2 Configuration").click().run()
    assert "2,500 steps: 1,500 in the first pass; 500 after mining, 2 times." in said(page)
    next(box for box in page.selectbox if box.label == "Preset").set_value("small").run()
    assert "2,800 steps: 1,500 in the first pass; 500 after mining, 2 times; 300 on the 8-bit grid." in said(page)
    assert field(page, "small", "train.steps").value == 1500
    assert field(page, "small", "model.width").value == 0.6


@pytest.mark.parametrize("label", ["Start training", "Find a learning rate", "Search"])
def test_nothing_starts_without_other_speech(open_page: Open, chirps: Settings, label: str) -> None:
    shutil.rmtree(open_library(chirps, "chirp").folder("negative"))
    page = open_page("wakeword", step="2 Configuration", preset="tiny")
    button(page, label).click().run()
    assert "No other speech is given" in said(page) and "has started" not in said(page)
    assert not list(chirps.runs_root.glob("*")) and not list(chirps.jobs_root.glob("*"))


def test_a_reload_and_the_way_back_keep_the_preset_and_its_fields(open_page: Open, chirps: Settings) -> None:
    page = open_page("wakeword", step="2 Configuration", preset="small")
    assert next(box for box in page.selectbox if box.label == "Preset").value == "small"
    next(box for box in page.selectbox if box.label == "Preset").set_value("tiny").run()
    field(page, "tiny", "train.steps").set_value(33)
    button(page, "Does it fit?").click().run()
    page.segmented_control(key="step").set_value("1 Data").run()
    page.segmented_control(key="step").set_value("2 Configuration").run()
    assert field(page, "tiny", "train.steps").value == 33
    gone = open_page("wakeword", step="2 Configuration", preset="of somebody else")
    assert not gone.exception
    assert next(box for box in gone.selectbox if box.label == "Preset").value == "default"


def test_enter_in_a_field_starts_no_training(open_page: Open, chirps: Settings) -> None:
    page = open_page("wakeword", step="2 Configuration", preset="tiny")
    (form,) = [block for block in page.get("form") if block.proto.form.form_id == "train-wakeword"]
    assert not form.proto.form.enter_to_submit


def test_settings_are_saved_loaded_reset_and_deleted(open_page: Open, chirps: Settings) -> None:
    page = open_page("wakeword", step="2 Configuration")
    field(page, "default", "train.rate").set_value(0.002)
    next(box for box in page.text_input if box.label == "Save the settings as").set_value("mine")
    button(page, "Save preset").click().run()
    assert not page.exception
    assert next(box for box in page.selectbox if box.label == "Preset").value == "mine"
    assert field(page, "mine", "train.rate").value == 0.002
    assert field(page, "mine", "train.steps").value == 1500
    field(page, "mine", "train.rate").set_value(0.1)
    button(page, "Reset").click().run()
    assert field(page, "mine", "train.rate", 1).value == 0.002
    button(page, "Yes, delete it").click().run()
    assert "mine" not in next(box for box in page.selectbox if box.label == "Preset").options
    assert not list((chirps.data_root / "presets" / "wakeword").iterdir())


def test_settings_stand_in_their_order_on_a_narrow_screen_too(open_page: Open, chirps: Settings) -> None:
    page = open_page("wakeword", step="2 Configuration")
    numbers = [widget.key for widget in page.number_input if str(widget.key).startswith("wakeword-fields-")]
    settings = [f"wakeword-fields-default-0-{setting.key}" for group in GROUPS for setting in settings_of(group)]
    assert numbers == [key for key in settings if key in numbers]


def test_a_rate_and_searched_settings_are_used_by_a_click(open_page: Open, chirps: Settings) -> None:
    """As the two commands leave them."""
    folder = str(open_library(chirps, "chirp").folder("positive"))
    config = build(WakewordConfig, {"data": {"positive": [folder]}})
    with RunDirectory.create(chirps.jobs_root, kind="rate-range", name="chirp", config=config).start() as writer:
        for step, (rate, loss) in enumerate(((1e-4, 0.7), (3e-3, 0.2), (1e-1, 2.0)), start=1):
            writer.log_metrics(event="rate", step=step, rate=rate, loss=loss)
        writer.update(result={"suggested": 1e-3})
    with RunDirectory.create(chirps.runs_root, kind="wakeword-search", name="chirp", config=config).start() as writer:
        for trial, value in enumerate((0.5, 0.2, 0.4)):
            settings = {"model.width": 0.5 + trial / 10, "augment.masks": trial}
            writer.log_metrics(event="trial", trial=trial, value=value, settings=settings)
    page = open_page("wakeword", step="2 Configuration")
    assert not page.exception
    button(page, "Use the rate 0.001").click().run()
    assert field(page, "default", "train.rate").value == 0.001
    assert "3 trials; the best, number 2, reached **0.200**" in said(page)
    button(page, "Use these settings").click().run()
    assert (field(page, "default", "model.width").value, field(page, "default", "augment.masks").value) == (0.6, 1)
    assert field(page, "default", "train.rate").value == 0.001, "what was set before stays"


def test_variations_are_rendered_to_hear(open_page: Open, chirps: Settings) -> None:
    page = open_page("wakeword", step="1 Data")
    page.button(key="wakeword-vary").click().run()
    assert not page.exception
    assert [c.value for c in page.caption if c.value.startswith("Variation")] == [f"Variation {n}" for n in (1, 2, 3)]


def test_a_batch_is_drawn_to_hear_and_to_see(open_page: Open, chirps: Settings) -> None:
    page = open_page("wakeword", step="1 Data")
    page.button(key="wakeword-batch").click().run()
    assert not page.exception
    shown = [
        m.value for m in page.markdown if m.value in ("**The word**", "**Other speech**", "**Similar-sounding speech**")
    ]
    assert [shown.count(name) for name in dict.fromkeys(shown)] == [2, 4, 2]
    page.button(key="wakeword-features").click().run()
    assert "one standard deviation" in said(page)


def test_takes_are_kept_refused_and_undone(
    open_page: Open, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = open_library(settings, "computer", create=True)
    spoken = sorted((CHECKOUT / "data" / "demo" / "participant_01").rglob("*.wav"))[0].read_bytes()
    given = {"take-computer-0": spoken, "take-computer-1": to_wav(np.zeros(RATE_HZ)), "take-computer-2": spoken}
    monkeypatch.setattr("dashboard.sections.wakeword.record.recorder", lambda key, of: given.get(key))
    page = open_page("wakeword", step="1 Data")
    while page.session_state["pronlab.takes-count-computer"] < 3:
        page.run()
    assert [file.name for file in words.files("positive")] == ["take-001-2.wav", "take-001.wav"]
    assert "take 3 of 20" in said(page.run())
    button(page, "Undo the last take").click().run()
    assert [file.name for file in words.files("positive")] == ["take-001.wav"]
    given["take-computer-3"] = to_wav(np.zeros(RATE_HZ))
    assert "Nothing can be heard" in said(page.run().run())


def test_nothing_starts_without_its_packages(
    open_page: Open, chirps: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = {"torch", "optuna"}
    monkeypatch.setattr("pipeline.optional.is_there", lambda name: name not in missing)
    page = open_page("wakeword", step="2 Configuration")
    assert re.search(r"This training needs torch: `\S*pip install 'pronlab\[train\]'`\.", said(page))
    starts = ("Start training", "Does it fit?", "Find a learning rate", "Search")
    assert [button(page, label).disabled for label in starts] == [True] * 4
    missing.remove("torch")
    page = open_page("wakeword", step="2 Configuration")
    assert "The search needs optuna" in said(page)
    assert [button(page, label).disabled for label in starts] == [False, False, False, True]


def test_a_word_that_nobody_can_say_is_refused_on_the_page(
    open_page: Open, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_library(settings, "computer", create=True)
    monkeypatch.setattr("dashboard.sections.wakeword.speak.page_language", lambda: "tr")
    page = open_page("wakeword", step="1 Data")
    assert page.selectbox(key="speak-language-computer").value == "tr", "the page's"
    page.text_input(key="speak-text-computer").set_value("a/b")
    button(page, "Speak clips").click().run()
    assert "'a/b'" in said(page)
    assert not list(settings.jobs_root.glob("*")), "nothing was started"


def test_synthetic_clips_of_another_text_are_deleted_before_the_word_is_spoken(
    open_page: Open, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Any] = []
    monkeypatch.setattr("pipeline.jobs.launcher.launch", lambda *_given, **given: started.append(given["argv"]))
    words = open_library(settings, "computer", create=True)
    artifacts.write_json(words.spoken / ABOUT, {"word": "komputer", "language": "en"})
    artifacts.write_bytes(words.spoken / "positive" / "espeak-en-us-m1" / "00000.wav", b"cut off")
    page = open_page("wakeword", step="1 Data")
    button(page, "Speak clips").click().run()
    assert "The synthetic clips here say 'komputer'" in said(page) and not started
    assert "All synthetic clips of “komputer”" in said(page)
    button(page, "Delete permanently").click().run()
    assert not any(words.spoken.iterdir())
    assert "All synthetic clips" not in said(page)
    button(page, "Speak clips").click().run()
    assert started[0][-1] == "computer" and "komputer" not in said(page)


def test_a_word_with_turkish_letters_is_spoken_in_turkish_on_an_english_page(
    open_page: Open, settings: Settings
) -> None:
    words = open_library(settings, "pınar", create=True)
    assert open_page("wakeword", step="1 Data").selectbox(key="speak-language-pınar").value == "tr"
    artifacts.write_json(words.spoken / ABOUT, {"word": "pınar", "language": "en"})
    assert open_page("wakeword", step="1 Data").selectbox(key="speak-language-pınar").value == "en", "as spoken"


def test_a_word_keeps_its_language_whatever_the_pages(
    open_page: Open, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = open_library(settings, "computer", create=True)
    page = open_page("wakeword", step="1 Data")
    monkeypatch.setattr("dashboard.sections.wakeword.speak.page_language", lambda: "tr")
    assert page.run().selectbox(key="speak-language-computer").value == "en", "as it was before"
    assert open_page("wakeword", step="1 Data").selectbox(key="speak-language-computer").value == "tr", "the page's"
    artifacts.write_json(words.spoken / ABOUT, {"word": "computer", "language": "en"})
    assert open_page("wakeword", step="1 Data").selectbox(key="speak-language-computer").value == "en", "as spoken"


def test_a_training_is_checked_refused_and_started(
    open_page: Open, chirps: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = open_page("wakeword", step="2 Configuration")
    button(page, "Does it fit?").click().run()
    assert not page.exception
    assert {m.label: m.value for m in page.metric}["Parameters"] == "210,050"
    field(page, "default", "model.target").set_value("esp32_s3")
    field(page, "default", "detector.votes").set_value(5)
    button(page, "Start training").click().run()
    assert "votes is at most of, got 5 of 3" in said(page)
    field(page, "default", "detector.votes").set_value(2)
    field(page, "default", "model.name").set_value("resnet18")
    button(page, "Start training").click().run()
    assert "The model does not fit" in said(page)
    assert not list(chirps.runs_root.glob("*")), "nothing was started"
    started = []
    monkeypatch.setattr(
        "dashboard.services.wakeword_training.start_training", lambda config, where: started.append(config) or "run"
    )
    field(page, "default", "model.name").set_value("tcn")
    field(page, "default", "model.target").set_value("phone")
    field(page, "default", "train.steps").set_value(5)
    field(page, "default", "train.ema").set_value(False)
    button(page, "Start training").click().run()
    assert "has started" in said(page)
    button(page, "Go to 3 Training").click().run()
    assert "No detector has been trained yet" in said(page)
    (config,) = started
    assert (config.train.steps, config.train.ema, config.model.target) == (5, False, "phone")
    assert config.mining.steps == 500, "as the preset has it"
    assert config.data.positive == (str(open_library(chirps, "chirp").folder("positive")),)
    assert config.data.rir == ()


def test_a_finished_detector_through_all_steps(
    open_page: Open, detector: RunDirectory, chirps: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.wakeword.finished_run.MOST_CLIPS", 2)  # of each side, in each condition
    run = open_finished_run(chirps, detector.id)
    words = open_library(chirps, "chirp")
    page = open_page("wakeword", step="3 Training", run=detector.id)
    assert not page.exception
    assert "nobody" not in said(page)
    assert "Validation misses" in {m.label for m in page.metric}
    button(page, "Go to 4 Evaluation").click().run()
    assert "Try it" in {tab.label for tab in page.tabs}
    assert not page.exception
    assert not page.metric, "nothing is measured yet"
    sides = (words.folder("evaluation/positive"),), (words.folder("evaluation/background"),)
    monkeypatch.chdir(words.root)  # where the command was called: its folders hold elsewhere, too
    near_by = tuple((side.relative_to(words.root),) for (side,) in sides)
    evaluate_run(run, EvaluationTask(*near_by, hours=0.05, tta=True))
    monkeypatch.chdir("/")
    started: list[Any] = []
    monkeypatch.setattr("dashboard.services.wakeword_detectors.start_work", lambda *given: started.append(given))
    page = open_page("wakeword", step="4 Evaluation", run=detector.id)
    button(page, "Test all conditions").click().run()
    assert started.pop()[2:] == ("--positive", str(sides[0][0]), "--background", str(sides[1][0])), "the same clips"
    robustness_of(run, *sides, (), ())
    export(run.folder, run.home / EXPORTS)
    page = open_page("wakeword", step="4 Evaluation", run=detector.id)
    assert not page.exception
    assert {"Missed at ≤ 0.1 per hour", "Missed at ≤ 0.5 per hour", "Missed at ≤ 1.0 per hour"} <= {
        m.label for m in page.metric
    }
    assert "With test-time augmentation" in said(page) and "With the judge of phones" not in said(page)
    assert "At the detector's threshold (" in said(page)
    again = set_threshold(run)
    assert again is not None
    page = open_page("wakeword", step="4 Evaluation", run=detector.id)
    assert f"the threshold is {again.threshold:.2f} now" in said(page)
    button(page, "Go to 5 Export").click().run()
    assert "Model card" in {e.label for e in page.expander}
    report = artifacts.read_json(run.home / EVALUATION)
    judged_stream = {**report["stream"], "as_set": {**report["as_set"], "miss_rate": 0.25}, "questions_per_hour": 70}
    judged = {"stream": judged_stream, "near": report["near"], "learnt_from": None}
    artifacts.write_json(run.home / EVALUATION, report | {"judged": judged, "task": {"phones": "chirp"}})
    page = open_page("wakeword", step="4 Evaluation", run=detector.id)
    assert "**With the judge of phones** of “chirp”" in said(page)
    assert "own limit: 25.0% missed" in said(page) and "asked 70 times per hour" in said(page)
    assert [m.label for m in page.metric].count("Missed at ≤ 0.1 per hour") == 2
    page = open_page("wakeword", step="5 Export", run=detector.id)
    assert not page.exception
    assert "Model card" in {e.label for e in page.expander}


def test_a_detector_is_measured_on_its_own_word(open_page: Open, detector: RunDirectory, chirps: Settings) -> None:
    shutil.copytree(open_library(chirps, "chirp").root, chirps.data_root / "wakewords" / "alarm")
    newer = RunDirectory(shutil.copytree(detector.path, chirps.runs_root / "alarm-00000000"))
    artifacts.write_json(newer.path / "config.json", {**detector.config, "word": "alarm"})
    state = artifacts.read_json(detector.path / "run.json")
    artifacts.write_json(detector.path / "run.json", {**state, "created_at": "2020-01-01T00:00:00+00:00"})

    def named(boxes: Any, label: str) -> Any:
        return next(box for box in boxes if box.label == label)

    def chosen(page: Any) -> list[str]:
        assert not page.exception
        folder = named(page.selectbox, "Folder").value
        return [page.selectbox(key="run").value, named(page.selectbox, "Word").value, folder.split(":")[0]]

    page = open_page("wakeword", step="4 Evaluation", **{"wake-word": "chirp"})
    assert chosen(page) == [detector.id, "chirp", "chirp"], "not the newest, which is of another word"
    page.selectbox(key="run").set_value(newer.id).run()
    assert chosen(page) == [newer.id, "alarm", "alarm"], "not what was chosen for the detector before"
    assert chosen(open_page("wakeword", step="4 Evaluation")) == [newer.id, "alarm", "alarm"]
    shutil.rmtree(chirps.data_root / "wakewords" / "alarm")
    unknown = {"word": "alarm", "data": {**detector.config["data"], "positive": ["/elsewhere"]}}
    artifacts.write_json(newer.path / "config.json", {**detector.config, **unknown})
    page = open_page("wakeword", step="4 Evaluation")
    assert named(page.selectbox, "Word").value is None and "Choose the word to measure the detector on" in said(page)


def test_an_evaluation_without_recordings_says_to_record_them(
    open_page: Open, detector: RunDirectory, chirps: Settings
) -> None:
    words = open_library(chirps, "chirp")
    shutil.rmtree(words.folder("evaluation/positive"))
    assert "Set clips of the word aside" in said(open_page("wakeword", step="4 Evaluation", run=detector.id))
    shutil.rmtree(words.folder("positive"))
    page = said(open_page("wakeword", step="4 Evaluation", run=detector.id))
    assert "Record or add clips of the word under 1 Data first" in page, "there are none to set aside"


def test_conditions_are_in_the_readers_language() -> None:
    with speaking("tr"):
        assert condition_text("0.5 m") == "0,5 m"
        assert condition_text("as recorded") == "kaydedildiği gibi"
    assert condition_text("+12 dB, clipped") == "+12 dB, clipped"


def test_the_judge_of_phones_is_learnt_and_goes_into_the_bundle(
    open_page: Open, detector: RunDirectory, chirps: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Any] = []
    monkeypatch.setattr("dashboard.services.wakeword_detectors.start_work", lambda *given: started.append(given))
    page = open_page("wakeword", step="5 Export", run=detector.id)
    assert "With its judge of phones" not in {box.label for box in page.checkbox}
    page.text_input(key=f"learn-{detector.id}").input("günaydın")
    button(page, "Learn it").click().run()
    assert not started and "no English word" in said(page)
    page.text_input(key=f"learn-{detector.id}").input("smart  mirror")
    button(page, "Learn it").click().run()
    run = RunDirectory(detector.path)
    assert started.pop() == ("learn-phones", run, "--", "smart mirror")
    few = np.zeros(2, dtype=np.float32)
    learnt = LearntWord("boy", ((1, 2),), WordWeights(few, few, 0.0, few, few), LearntFrom(212, 0, 720, 500), "x")
    save_learnt_word(open_finished_run(chirps, detector.id).folder, learnt)
    page = open_page("wakeword", step="5 Export", run=detector.id)
    assert "Judge of phones: “boy”" in {each.label for each in page.expander}
    trial = open_page("wakeword", step="4 Evaluation", run=detector.id)
    assert trial.text_input(key=f"try-phones-{detector.id}").value == "boy"
    assert "Learnt from 212 recordings and 0 synthetic clips of the word, 720 near phrases" in said(page)
    button(page, "Bundle for a device").click().run()
    assert started.pop()[3:] == (str(run.path / EXPORTS / "bundle.zip"), "--phones", "boy")
    next(box for box in page.checkbox if box.label == "With its judge of phones").uncheck()
    button(page, "Bundle for a device").click().run()
    assert started.pop()[3:] == (str(run.path / EXPORTS / "bundle.zip"), "--no-phones")


def test_a_bundle_of_an_earlier_threshold_says_so(open_page: Open, detector: RunDirectory, chirps: Settings) -> None:
    finished = open_finished_run(chirps, detector.id)
    write_bundle(finished.folder, finished.home / EXPORTS / BUNDLE)
    page = open_page("wakeword", step="5 Export", run=detector.id)
    assert "changed after this bundle was made" not in said(page)
    save_info(finished.folder, replace(finished.info, threshold=finished.info.threshold + 1.0))
    page = open_page("wakeword", step="5 Export", run=detector.id)
    assert "changed after this bundle was made" in said(page)
    page = open_page("wakeword", step="4 Evaluation", run=detector.id)
    page.button_group(key="try-way").set_value("browser").run()
    assert "changed after this bundle was made" in said(page)


def test_a_folder_is_listed_with_its_scores(
    open_page: Open, detector: RunDirectory, chirps: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips = [{"clip": f"{name}.wav", "duration_s": 1.0, "score": score, "detected": score > 0}
             for name, score in (("a", 2.0), ("b", -3.0), ("c", 1.0))]  # fmt: skip
    report = {"folder": "/x/words", "threshold": 0.0, "n": 3, "detected": 2, "share": 2 / 3, "interval": [0.09, 0.99]}
    artifacts.write_json(detector.path / "folder.json", {**report, "clips": clips})
    started: list[Any] = []
    monkeypatch.setattr("dashboard.services.wakeword_detectors.start_work", lambda *given: started.append(given))
    page = open_page("wakeword", step="4 Evaluation", run=detector.id)
    assert "Detected in **2 of 3** clips of `words`: 66.7%" in said(page)
    table = next(frame.value for frame in page.dataframe if "Clip" in frame.value)
    assert list(table["Clip"]) == ["b.wav", "c.wav", "a.wav"], "the lowest scores first"
    assert "By the detector alone" not in said(page), "it has no judge"
    page.button(key="folder-start").click().run()
    folder = open_library(chirps, "chirp").folder("positive")
    assert started == [("detect", RunDirectory(detector.path), str(folder))]


def test_a_trial_asks_the_judge_of_phones_and_the_owners_voice(
    open_page: Open, detector: RunDirectory, chirps: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    artifacts.write_json(
        chirps.data_root / "owners" / "Ayşe.json",
        {"name": "Ayşe", "voice": [1.0], "n_takes": 5, "agreement": 0.9, "model": "m", "enrolled_at": "2026-01-01"},
    )
    found = [
        Detection(1.0, 3.0, Verdict(True, 0.9, "chirp"), owner=OwnerMatch("Ayşe", 0.8, True)),
        Detection(4.0, 3.0, Verdict(True, 0.9, "chirp"), owner=OwnerMatch("Ayşe", 0.12, False)),
        Detection(7.5, 3.0, Verdict(False, 0.9, "other")),
    ]
    asked: list[DetectorChoice] = []
    monkeypatch.setattr("dashboard.sections.wakeword.trial.recorder", lambda view: b"sound")
    monkeypatch.setattr(
        "dashboard.services.wakeword_detectors.detect",
        lambda run, audio, choice: asked.append(choice) or FileDetections(tuple(found), (), 9.0, 0.5),
    )
    page = open_page("wakeword", step="4 Evaluation", run=detector.id)
    page.text_input(key=f"try-phones-{detector.id}").set_value(" computer ")
    page.selectbox(key="try-owner").set_value("Ayşe").run()
    assert asked[-1] == DetectorChoice(phones="computer", owner="Ayşe")
    assert "Detected at 1.0 s." in said(page)
    assert "The judge of phones rejected the detections at 7.5 s." in said(page)
    assert "Another voice than the owner's at 4.0 s (similarity 0.12)." in said(page)


def test_with_a_judge_the_page_asks_from_the_low_threshold_on(
    detector: RunDirectory, chirps: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `detect` and `listen` do: at the detector's own threshold words went by unasked."""
    monkeypatch.setattr("dashboard.services.shared.settings", lambda: chirps)
    few = np.zeros(2, dtype=np.float32)
    sha256 = artifacts.sha256_of(listener_folder(chirps) / "listener.onnx")
    kept = LearntWord("boy", ((1, 2),), WordWeights(few, few, 0.0, few, few), LearntFrom(9, 0, 1, 1), sha256, -3.25)
    save_learnt_word(open_finished_run(chirps, detector.id).folder, kept)
    own = wakeword_detectors.detector(detector, DetectorChoice()).threshold
    assert wakeword_detectors.detector(detector, DetectorChoice(phones="boy")).threshold == -3.25 != own
    assert wakeword_detectors.detector(detector, DetectorChoice(threshold=1.5, phones="boy")).threshold == 1.5


def test_a_word_that_cannot_be_pronounced_is_refused_as_judge(
    open_page: Open, detector: RunDirectory, chirps: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboard.sections.wakeword.trial.recorder", lambda view: to_wav(SECOND))
    page = open_page("wakeword", step="4 Evaluation", run=detector.id)
    page.text_input(key=f"try-phones-{detector.id}").set_value("a/b").run()
    assert "'a/b' cannot be a wake word" in said(page)
    assert "Enrol a voice" in {each.label for each in page.expander}, "what is below stays"


def test_a_voice_is_enrolled_on_the_page_and_deleted(
    open_page: Open, detector: RunDirectory, chirps: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five takes of one recording, each of another level, are alike; a silent one is refused and does not count."""
    spoken = load_audio(sorted((CHECKOUT / "data" / "demo" / "participant_01").rglob("*.wav"))[0]).samples
    takes = {f"owner-{number}": to_wav(spoken * (1.0 - 0.05 * number)) for number in range(6)}
    given = takes | {"owner-1": to_wav(np.zeros(RATE_HZ))}
    monkeypatch.setattr("dashboard.sections.wakeword.owner.recorder", lambda view, of, key: given.get(view))
    page = open_page("wakeword", step="4 Evaluation", run=detector.id)
    assert "Nobody is enrolled yet." in said(page)
    while page.session_state["pronlab.owner-count"] < 6:
        page.run()
    assert button(page, "Enrol").disabled, "the name is missing"
    page.text_input(key="owner-name").set_value("Ayşe").run()
    button(page, "Enrol").click().run()
    page.run()
    assert "Ayşe is enrolled" in said(page)
    assert owners(chirps) == ["Ayşe"]
    assert page.selectbox(key="try-owner").options == ["Ayşe"]
    button(page, "Yes, delete it").click().run()
    assert owners(chirps) == []


def test_work_is_started_in_the_background(open_page: Open, detector: RunDirectory, chirps: Settings) -> None:
    page = open_page("wakeword", step="5 Export", run=detector.id)
    next(b for b in page.button if b.label.startswith("Export to")).click().run()
    (job,) = (RunDirectory(path) for path in chirps.jobs_root.iterdir())
    until(lambda: job.state.status in ("running", "finished", "failed"), 240)  # a slow start looks lost meanwhile
    assert job.state.status != "failed", job.log_tail()
    end_now(job)  # what it makes is seen in a browser (test_five_steps)


def test_the_listener_hears_frames_as_browsers_send_them(detector: RunDirectory, chirps: Settings) -> None:
    """48 kHz stereo, 20 ms a frame."""
    from av import AudioFrame

    resampler = new_resampler()
    listener = Listener(detector_of(open_finished_run(chirps, detector.id), "aggressive"))
    sound = np.repeat(np.pad(chirp(np.random.default_rng(0)), (2 * RATE_HZ, RATE_HZ)), 3)
    frames = np.round(np.stack([sound, sound], axis=1) * 32767).astype(np.int16)
    for start in range(0, len(frames) - 960, 960):
        frame = AudioFrame.from_ndarray(frames[start : start + 960].reshape(1, -1), format="s16", layout="stereo")
        frame.sample_rate, frame.pts = 48_000, start
        listener.hear(resampled(resampler, frame))
    windows = [window for window, _detection in listener.windows()]
    assert np.allclose(np.diff([w.end_s for w in windows]), 0.1)
    best = max(windows, key=lambda w: w.score)
    assert 2.4 < best.end_s < 4.4
    assert listener.level_db < -40, "silence at the end"


def test_uploads_are_kept_under_their_word_and_nowhere_else(chirps: Settings, tmp_path: Path) -> None:
    words = open_library(chirps, "chirp")
    soundfile.write(tmp_path / "a.wav", chirp(np.random.default_rng(0)), RATE_HZ)
    content = (tmp_path / "a.wav").read_bytes()
    first, second = (words.add("negative", "../../a.wav", content) for _ in range(2))
    assert (first.name, second.name) == ("a.wav", "a-2.wav")
    assert first.parent == words.folder("negative")
    with pytest.raises(AudioError):
        words.add("negative", "b.wav", b"no audio")
    with pytest.raises(CorpusError, match="is no clip"):
        words.add("negative", "b.exe", content)
    with pytest.raises(CorpusError, match="Clips are positive"):
        words.add("somewhere", "a.wav", content)
    for name in ("../up", "a/b", "", "x" * 61):
        with pytest.raises(CorpusError, match=r"wake word|Write the word"):
            open_library(chirps, name, create=True)
    with pytest.raises(CorpusError, match="words here: chirp"):
        open_library(chirps, "marvin")
    assert library_names(chirps) == ["chirp"]
