"""Scorers: the rule and the model, what they refuse, what they say, and how they are measured."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from pipeline.audio.check import check_audio
from pipeline.audio.load import Audio, from_samples, load_audio
from pipeline.corpus.references import find_references, references_to
from pipeline.corpus.sets import read_recordings
from pipeline.errors import AudioError, CorpusError, FeatureError, ModelError, UnknownNameError
from pipeline.evaluation.evaluate import evaluate
from pipeline.evaluation.reference import reference_of_manifest, reference_of_set
from pipeline.features.alignment import Match, match, speech_part
from pipeline.features.catalogue import load_extractor
from pipeline.importing.importer import import_path
from pipeline.records import AudioReport, RubricName, Target
from pipeline.scoring.base import score_audio, score_file
from pipeline.scoring.batch import Item, ScorerSpec, read_predictions, score_items, score_set
from pipeline.scoring.heuristic import rules
from pipeline.scoring.selection import load_scorer
from pipeline.settings import CHECKOUT, Settings
from pipeline.text.words import text_key
from tests.audio.whisper import whispered
from tests.conftest import make_few

DEMO = CHECKOUT / "data" / "demo"
MASA = DEMO / "references" / "masa.wav"
WORD, SENTENCE = RubricName.WORD, RubricName.SENTENCE


@pytest.fixture(scope="module")
def demo_recordings() -> list[dict[str, Any]]:
    return list(json.loads((DEMO / "demo.json").read_text(encoding="utf-8"))["recordings"])


@pytest.fixture
def heuristic(settings: Settings) -> Any:
    return load_scorer(settings, "heuristic", WORD)


def heard(scorer: Any, audio: Audio, word: str, language: str = "tr") -> Any:
    return score_audio(scorer, audio, Target(word, language))


def test_the_reference_itself_is_faultless(heuristic: Any) -> None:
    result = heard(heuristic, load_audio(MASA), "masa")
    assert result.overall == rules.FAULTLESS
    assert (result.band, result.scoring_method, result.warnings) == ("excellent", "heuristic", ())
    assert set(result.dimensions) == {"segments", "timing", "stress", "signal"}
    assert result.not_measured == ()


def test_a_faultless_word_in_another_voice_is_good_and_another_word_is_not(
    heuristic: Any, demo_recordings: list[dict[str, Any]]
) -> None:
    clean = [row for row in demo_recordings if not row["faults"]]
    words = sorted({row["word"] for row in demo_recordings})
    right, wrong = [], []
    for number, row in enumerate(clean):
        audio = load_audio(DEMO / row["path"])
        other = words[(words.index(row["word"]) + 1 + number % 20) % len(words)]
        right.append(heard(heuristic, audio, row["word"]).overall)
        wrong.append(heard(heuristic, audio, other).overall)
    assert len(clean) > 40
    assert np.mean(right) > 85
    assert np.quantile(right, 0.1) > 75
    assert np.mean(wrong) < 50
    assert np.mean(np.array(wrong) < 60) > 0.95


def test_the_rule_agrees_with_the_known_faults_of_participants_it_was_not_fitted_to(
    heuristic: Any, demo_recordings: list[dict[str, Any]]
) -> None:
    rows = [row for row in demo_recordings if row["participant"] > "participant_04"]
    found = [heard(heuristic, load_audio(DEMO / row["path"]), row["word"]).overall for row in rows]
    assert np.corrcoef(found, [row["score"] for row in rows])[0, 1] > 0.7


def test_a_melody_that_cannot_be_measured_has_no_score(heuristic: Any) -> None:
    result = heard(heuristic, from_samples(whispered(load_audio(MASA).samples), 16000), "masa")
    assert set(result.dimensions) == {"segments", "timing", "signal"}
    assert result.not_measured == ("stress",)
    assert any("melody were not scored" in warning for warning in result.warnings)


@pytest.mark.parametrize(("pitch", "voiced_share"), [(None, 0.0), (0.1, 0.2)])
def test_a_few_voiced_frames_are_no_melody(pitch: float | None, voiced_share: float) -> None:
    losses = rules.beside_reference(
        Match(0.0, 1.0, 1.0, 2.0, pitch, voiced_share), AudioReport(1.0, 16000, 1, 0.5, 0.0, 0.1, 40.0)
    )
    assert losses.not_measured() == ("stress",)
    assert losses.dimensions() == {"segments": 100.0, "timing": 100.0, "signal": 100.0}


measures = st.floats(0, 60)


@given(measures, measures, st.floats(0.2, 5), st.floats(0, 12), st.floats(-10, 60), st.floats(0, 1))
def test_more_of_any_fault_never_earns_more(
    distance: float, more: float, ratio: float, pitch: float, snr_db: float, clipped: float
) -> None:
    report = AudioReport(1.0, 16000, 1, 0.5, clipped, 0.1, snr_db)
    found = Match(distance, 1.0, ratio, 2.0, pitch, 1.0)
    base = rules.beside_reference(found, report).overall
    assert 0 <= base <= rules.FAULTLESS
    worse = [
        (replace(found, distance=distance + more), report),
        (replace(found, length_ratio=ratio * 1.5 if ratio >= 1 else ratio / 1.5), report),
        (replace(found, pitch_difference_semitones=pitch + more), report),
        (found, replace(report, snr_db=snr_db - more)),
        (found, replace(report, clipped_share=min(1.0, clipped + more / 60))),
    ]
    for match_, report_ in worse:
        assert rules.beside_reference(match_, report_).overall <= base


@given(st.floats(0.1, 20), st.floats(0.1, 5), st.booleans())
def test_without_a_reference_the_score_is_capped_and_slower_is_never_better(
    rate: float, syllables: float, sentence: bool
) -> None:
    report = AudioReport(1.0, 16000, 1, 0.5, 0.0, 0.1, 40.0)
    base = rules.alone(report, vowels_per_s=rate, syllables_per_vowel=syllables, sentence=sentence).overall
    assert base <= (rules.PLAUSIBLE_SENTENCE if sentence else rules.PLAUSIBLE_WORD)
    slower = rules.alone(report, vowels_per_s=min(rate, 3) / 2, syllables_per_vowel=syllables, sentence=sentence)
    assert rate > 3 or slower.overall <= base


def test_noise_slowness_and_clipping_cost_points_on_a_real_recording(heuristic: Any) -> None:
    samples = load_audio(MASA).samples
    draw = np.random.default_rng(0)
    quiet = np.pad(samples, 4000)
    noise = draw.standard_normal(len(quiet)).astype(np.float32)
    noisy = [heard(heuristic, from_samples(quiet + level * noise, 16000), "masa").overall for level in (0, 0.01, 0.04)]
    clipped = [
        heard(heuristic, from_samples(np.clip(gain * samples, -1, 1), 16000), "masa").overall for gain in (1, 4, 16)
    ]
    for row in (noisy, clipped):
        assert row == sorted(row, reverse=True)
        assert row[0] - row[-1] > 10


def test_a_word_without_a_reference_says_what_was_not_judged(heuristic: Any) -> None:
    result = heard(heuristic, load_audio(MASA), "merhaba")
    assert result.overall is not None
    assert result.overall <= rules.PLAUSIBLE_WORD
    assert any("no reference recording" in warning for warning in result.warnings)
    assert "segments" not in result.dimensions


def test_another_word_is_named(heuristic: Any) -> None:
    result = heard(heuristic, load_audio(MASA), "çiçek")
    assert result.overall is not None
    assert result.overall <= rules.MOST_FOR_ANOTHER_WORD
    assert "It sounds more like “masa” than like “çiçek”." in result.warnings


@pytest.mark.parametrize(
    ("samples", "said"),
    [
        (np.zeros(16000), "nothing can be heard"),
        (0.1 * np.sin(np.arange(800) / 5), "short"),
        (0.2 * np.random.default_rng(0).standard_normal(16000), "noise"),
        (1e-4 * np.random.default_rng(0).standard_normal(16000), ""),
    ],
)
@pytest.mark.parametrize("name", ["heuristic", "acoustic57", "reference"])
def test_what_no_scorer_should_judge_gets_a_reason_not_a_score(
    settings: Settings, name: str, samples: np.ndarray, said: str
) -> None:
    scorer = load_scorer(settings, name, WORD)
    result = heard(scorer, from_samples(samples.astype(np.float32), 16000), "masa")
    assert (result.overall, result.band, result.scoring_method) == (None, None, "none")
    assert result.warnings
    assert said in " ".join(result.warnings).lower()


def test_a_longer_or_shorter_vocal_tract_is_undone() -> None:
    audio = load_audio(MASA)
    said = speech_part(audio)
    assert said is not None
    import soxr

    # Played slower, everything lies lower; put back to its own length it is the same word from a longer tract.
    longer = speech_part(from_samples(np.asarray(soxr.resample(audio.samples, 16000, 18560)), 16000))
    assert longer is not None
    found = match(longer, said)
    assert found.stretch < 0.95
    assert found.length_ratio == pytest.approx(1.16, abs=0.05)
    assert found.distance < 12


def test_neither_gain_nor_a_pause_around_it_changes_how_a_word_is_said(
    heuristic: Any, demo_recordings: list[dict[str, Any]]
) -> None:
    """Noise is measured in pauses, so that the dimension of the signal may differ."""
    pause = np.zeros(8000, dtype=np.float32)
    for row in demo_recordings[::25]:
        said = load_audio(DEMO / row["path"]).samples
        ways = (said, 0.1 * said, np.r_[pause, said, pause], np.r_[pause, pause, 0.3 * said, pause])
        plain, *others = (heard(heuristic, from_samples(way, 16000), row["word"]).dimensions for way in ways)
        for name in set(plain) - {"signal"}:
            assert [other[name] for other in others] == pytest.approx([plain[name]] * 3, abs=0.5), (row, name)


def test_a_click_beside_a_word_is_none_of_it() -> None:
    """Of a mouse, as the recording is begun and ended; the burst of a last stop belongs to the word."""
    said = load_audio(MASA).samples
    click = np.zeros(320, dtype=np.float32)
    click[:32] = 0.5 * np.where(np.arange(32) % 2, 1.0, -1.0)
    quiet = {ms: np.zeros(16 * ms, dtype=np.float32) for ms in (60, 150, 300)}
    plain = speech_part(from_samples(np.r_[quiet[150], said, quiet[300]], 16000))
    clicked = speech_part(from_samples(np.r_[click, quiet[150], said, quiet[300], click], 16000))
    burst = speech_part(from_samples(np.r_[said, quiet[60], click, quiet[60]], 16000))
    assert plain is not None and clicked is not None and burst is not None
    assert clicked.log_mel_db.shape == plain.log_mel_db.shape
    assert match(clicked, plain).distance == pytest.approx(0.0, abs=0.01)
    assert burst.duration_s > plain.duration_s + 0.06
    alone = speech_part(from_samples(np.r_[quiet[60], click, quiet[300], click], 16000))
    assert alone is not None, "nothing but clicks"


def test_references_of_ones_own_set_come_first_and_stay_inside_it(settings: Settings, tmp_path: Path) -> None:
    root = tmp_path / "own"
    folder = root / "participant_1" / "kelimeler"
    folder.mkdir(parents=True)
    shutil.copy(MASA, folder / "01_ışık.wav")
    (root / "references" / "voice").mkdir(parents=True)
    shutil.copy(MASA, root / "references" / "voice" / "IŞIK.wav")
    shutil.copy(MASA, root / "references" / "masa.wav")
    (root / "references" / "elma.wav").symlink_to(MASA)
    import_path(settings, root, name="own")
    assert references_to(settings, "ışık", "tr")[0] == root / "references" / "voice" / "IŞIK.wav"
    assert len(find_references(settings, "tr")["masa"]) == 2
    assert references_to(settings, "elma", "tr")[0] == DEMO / "references" / "elma.wav"
    assert references_to(settings, "masa", "en") == ()
    assert (text_key("İĞNE", "tr"), text_key("Igloo", "en")) == ("iğne", "igloo")


def test_a_broken_reference_does_not_stop_scoring(settings: Settings, tmp_path: Path) -> None:
    root = tmp_path / "own"
    folder = root / "participant_1" / "kelimeler"
    folder.mkdir(parents=True)
    shutil.copy(MASA, folder / "01_masa.wav")
    (root / "references").mkdir()
    (root / "references" / "masa.wav").write_bytes(b"broken")
    import_path(settings, root, name="own")
    result = heard(load_scorer(settings, "heuristic", WORD), load_audio(MASA), "masa")
    assert result.overall == rules.FAULTLESS


def test_reference_features_need_a_reference_and_the_model_then_leaves_it_to_the_rule(settings: Settings) -> None:
    extractor = load_extractor(settings, "reference")
    audio = load_audio(MASA)
    features = dict(zip(extractor.feature_names, extractor.extract(audio, Target("masa", "tr")), strict=True))
    assert features["reference_distance_db"] == pytest.approx(0, abs=1e-3)
    assert features["other_word_margin_db"] > 5
    with pytest.raises(FeatureError, match="merhaba"):
        extractor.extract(audio, Target("merhaba", "tr"))
    result = heard(load_scorer(settings, "reference", WORD), audio, "merhaba")
    assert result.scoring_method == "heuristic"
    assert "the model cannot score this text" in result.warnings[0]
    silence = extractor.extract(from_samples(np.zeros(8000, np.float32), 16000), Target("masa", "tr"))
    assert np.isfinite(silence).all()
    assert extractor.depends_on(Target("masa", "tr")) != extractor.depends_on(Target("elma", "tr"))


def test_the_released_models_score_and_say_how(settings: Settings) -> None:
    audio = load_audio(MASA)
    default = load_scorer(settings, None, WORD)
    assert default.name == "reference"
    result = heard(default, audio, "masa")
    assert result.scoring_method == "ml_model"
    assert result.overall is not None
    assert result.overall > 80
    assert result.confidence is None, "agreement with synthetic labels is no confidence"
    assert any("synthetic" in warning for warning in result.warnings)
    blind = heard(load_scorer(settings, "acoustic57", WORD), audio, "masa")
    assert any("does not depend on which word" in warning for warning in blind.warnings)
    foreign = heard(load_scorer(settings, "acoustic57", WORD), audio, "table", language="en")
    assert any("language" in warning for warning in foreign.warnings)
    sentence = score_audio(load_scorer(settings, "acoustic57", SENTENCE), audio, Target("masa", "en", SENTENCE))
    assert sentence.scoring_method == "ml_model"
    assert any("unlike those that the model learned from" in warning for warning in sentence.warnings)
    assert sentence.confidence is None


def test_a_model_trained_on_peoples_ratings_says_how_sure_it_is(settings: Settings) -> None:
    scorer: Any = load_scorer(settings, "timing", SENTENCE)
    sure = [scorer.model.confidence(score) for score in (40.0, 75.0)]
    assert 0 < sure[0] < sure[1] < 1


def test_without_any_model_the_rule_scores(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.settings.SHIPPED", tmp_path)
    assert load_scorer(settings, None, WORD).name == "heuristic"
    with pytest.raises(ModelError, match="pronlab deploy"):
        load_scorer(settings, "acoustic57", WORD)
    with pytest.raises(UnknownNameError, match="heuristic"):
        load_scorer(settings, "oracle", WORD)


def test_a_model_on_other_features_is_refused(settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(CHECKOUT / "models" / "word-demo", folder)
    info = json.loads((folder / "model_info.json").read_text(encoding="utf-8"))
    (folder / "model_info.json").write_text(json.dumps({**info, "extractor": "timing"}), encoding="utf-8")
    with pytest.raises(ModelError, match="other features"):
        load_scorer(settings, None, WORD, model=folder)


@pytest.mark.parametrize("name", ["word-demo", "word-demo-reference"])
def test_a_model_of_features_as_they_were_measured_before_says_so(
    settings: Settings, tmp_path: Path, name: str
) -> None:
    released = CHECKOUT / "models" / name
    now = heard(load_scorer(settings, None, WORD, model=released), load_audio(MASA), "masa")
    assert not any("train it again" in warning for warning in now.warnings)
    shutil.copytree(released, tmp_path / "model")
    info = json.loads((released / "model_info.json").read_text(encoding="utf-8"))
    (tmp_path / "model" / "model_info.json").write_text(json.dumps({**info, "extractor_version": "0"}), "utf-8")
    result = heard(load_scorer(settings, None, WORD, model=tmp_path / "model"), load_audio(MASA), "masa")
    assert any("version 0 measures them" in warning and "train it again" in warning for warning in result.warnings)


def test_a_file_is_scored_with_the_time_it_took(settings: Settings, tmp_path: Path, heuristic: Any) -> None:
    result = score_file(heuristic, MASA, Target("masa", "tr"))
    assert result.milliseconds > 0
    assert result.audio == check_audio(load_audio(MASA))
    with pytest.raises(AudioError):
        score_file(heuristic, tmp_path / "nowhere.wav", Target("masa", "tr"))


def test_a_training_recording_gets_its_held_out_prediction_wherever_it_lies(settings: Settings, tmp_path: Path) -> None:
    source = DEMO / "participant_01" / "kelimeler" / "01_araba.wav"
    copy = tmp_path / "renamed.wav"
    shutil.copy(source, copy)
    spec = ScorerSpec(settings, "acoustic57")
    target = Target("araba", "tr")
    stored = load_scorer(settings, "acoustic57", WORD).model.held_out  # type: ignore[attr-defined]
    from pipeline.artifacts import sha256_of
    from pipeline.scoring.feature_based.model_files import text_digest

    copied, louder = (
        next(iter(score_items(spec, [Item("other/x", path, "participant_01", target)])))
        for path in (copy, _louder(source, tmp_path))
    )
    assert copied.overall == stored[sha256_of(source), text_digest("araba")]
    assert copied.held_out
    # The same name in another set is another person; in the set of the training it is not.
    assert louder.held_out
    same = next(iter(score_items(spec, [Item("demo/x", _louder(source, tmp_path), "participant_01", target)])))
    assert not same.held_out
    # Its prediction is for its own text; for another one the model answers anew, and has heard the voice.
    wrong_text = next(iter(score_items(spec, [Item("other/x", copy, "somebody", Target("kedi", "tr"))])))
    assert not wrong_text.held_out


def _louder(source: Path, folder: Path) -> Path:
    samples, rate = soundfile.read(source)
    soundfile.write(folder / "louder.wav", 0.5 * samples, rate)
    return folder / "louder.wav"


def test_a_set_is_scored_and_its_predictions_read_back(settings: Settings, tmp_path: Path) -> None:
    make_few(settings, tmp_path)
    assert read_predictions(settings, "few").empty
    for name in ("heuristic", "acoustic57"):
        assert len(score_set(settings, "few", name)) == 24
    table = read_predictions(settings, "few")
    assert table.groupby("scorer")["overall"].count().to_dict() == {"acoustic57": 24, "heuristic": 24}
    assert table["held_out"].all()
    score_set(settings, "few", "acoustic57")
    assert len(read_predictions(settings, "few")) == 48


def test_a_recording_that_cannot_be_read_is_counted_not_dropped(settings: Settings, tmp_path: Path) -> None:
    root = tmp_path / "own"
    folder = root / "participant_1" / "kelimeler"
    folder.mkdir(parents=True)
    shutil.copy(MASA, folder / "01_masa.wav")
    (folder / "02_kedi.wav").write_bytes(b"broken")
    import_path(settings, root, name="own")
    found = score_set(settings, "own", "heuristic")
    assert [prediction.overall is None for prediction in found] == [False, True]
    assert found[1].warnings


@pytest.mark.usefixtures("demo", "two_processes")
def test_a_set_is_measured_against_its_consensus(settings: Settings) -> None:
    reference = reference_of_set(settings, "demo")
    measured = evaluate(ScorerSpec(settings, "reference"), reference, source="demo")
    report, predictions = measured.report, measured.predictions
    assert (report.n, report.failed, report.n_not_held_out, len(predictions)) == (176, 0, 0, 176)
    assert report.pcc is not None
    assert report.pcc > 0.75
    assert len(report.worst) == 10
    errors = [abs(row.predicted - row.expert) for row in report.worst]
    assert errors == sorted(errors, reverse=True)
    low, high = report.intervals["mae"]
    assert report.mae is not None
    assert low < report.mae < high


@pytest.mark.usefixtures("demo")
def test_a_manifest_is_measured_and_the_trained_on_left_out(settings: Settings, tmp_path: Path) -> None:
    recordings = read_recordings(settings, "demo")[:40]
    folder = tmp_path / "demo"
    folder.mkdir()
    rows = []
    for number, recording in enumerate(recordings):
        name = f"{number}.wav"
        samples, rate = soundfile.read(settings.sets_root / "demo" / recording.path)
        soundfile.write(folder / name, 0.7 * samples, rate)
        rows.append({"audio": name, "text": recording.text, "speaker": recording.speaker, "score": 50 + number})
    (folder / "m.jsonl").write_text("\n".join(json.dumps({**row, "language": "tr"}) for row in rows), encoding="utf-8")
    reference = reference_of_manifest(folder / "m.jsonl")
    report = evaluate(ScorerSpec(settings, "acoustic57"), reference, source="m").report
    assert (report.n, report.n_not_held_out) == (0, 40)
    assert "trained on their speakers" in report.warnings[-1]
    report = evaluate(ScorerSpec(settings, "heuristic"), reference, source="m").report
    assert report.n == 40
    with pytest.raises(CorpusError, match="part 'dev'"):
        evaluate(
            ScorerSpec(settings, "heuristic"),
            reference_of_manifest(folder / "m.jsonl", "dev"),
            source="m",
            part="dev",
        )


def test_a_manifest_whose_audio_is_missing_says_so(settings: Settings, tmp_path: Path) -> None:
    row = {"audio": "nowhere.wav", "text": "masa", "speaker": "s", "score": 50}
    (tmp_path / "m.jsonl").write_text(json.dumps(row), encoding="utf-8")
    with pytest.raises(CorpusError, match=r"its only recording could not be scored.*nowhere\.wav"):
        evaluate(ScorerSpec(settings, "heuristic"), reference_of_manifest(tmp_path / "m.jsonl"), source="m")


def test_what_the_model_left_to_the_rule_is_no_figure_of_the_model(settings: Settings, tmp_path: Path) -> None:
    rows = []
    for number, word in enumerate(("masa", "elma", "kedi", "okul")):
        samples, rate = soundfile.read(DEMO / "references" / f"{word}.wav")
        soundfile.write(tmp_path / f"{number}.flac", 0.8 * samples, rate)
        text = word if number else "merhaba"
        rows.append({"audio": f"{number}.flac", "text": text, "speaker": "s", "score": 70 + number, "language": "tr"})
    (tmp_path / "m.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    reference = reference_of_manifest(tmp_path / "m.jsonl")
    report = evaluate(ScorerSpec(settings, "reference"), reference, source="m").report
    assert (report.n, report.n_by_rule) == (3, 1)
    assert any("the heuristic did" in warning for warning in report.warnings)


@pytest.mark.usefixtures("demo")
def test_a_model_that_does_not_name_its_voices_is_called_so(settings: Settings, tmp_path: Path) -> None:
    model = tmp_path / "model"
    shutil.copytree(CHECKOUT / "models" / "word-demo", model)
    (model / "held_out.csv").unlink()
    spec = ScorerSpec(settings, None, model)
    report = evaluate(spec, reference_of_set(settings, "demo"), source="demo").report
    assert any("no held_out.csv" in warning for warning in report.warnings)


def test_words_and_sentences_are_not_measured_together(tmp_path: Path) -> None:
    shutil.copy(MASA, tmp_path / "a.wav")
    shutil.copy(MASA, tmp_path / "b.wav")
    rows = [{"audio": "a.wav", "text": "masa", "score": 5}, {"audio": "b.wav", "text": "a big table", "score": 5}]
    (tmp_path / "m.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    with pytest.raises(CorpusError, match="mixes words and sentences"):
        reference_of_manifest(tmp_path / "m.jsonl")
