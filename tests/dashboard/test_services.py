"""What pages ask for: joining scorers with experts, figures in words, training launches and reports."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dashboard.components.score_card import checks_of, confidence_in_words
from dashboard.services import compare, data, jobs, results, shared
from dashboard.services import train as training
from pipeline.errors import CorpusError, JobError
from pipeline.metrics.regression import RegressionMetrics, regression_metrics
from pipeline.model_names import label, short_names, unlike
from pipeline.people.access import GUEST
from pipeline.records import AudioReport, Problem, ScoreResult, Target
from pipeline.runs import RunDirectory
from pipeline.settings import Settings


@pytest.fixture
def installation(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("PRONLAB_DATA_ROOT", str(settings.data_root))
    monkeypatch.setenv("PRONLAB_MODELS_ROOT", str(settings.models_root))
    return settings


@pytest.fixture
def table() -> pd.DataFrame:
    experts = pd.DataFrame(
        {"recording_id": list("abcd"), "speaker": ["s1", "s1", "s2", "s2"], "text": ["ev", "su", "ev", "su"]}
    ).assign(score=[90.0, 70.0, 50.0, 60.0], source="human")
    rows = [("model", id_, score) for id_, score in zip("abcd", (85, 72, 70, 61), strict=True)]
    rows += [("heuristic", id_, score) for id_, score in zip("abc", (60, 60, None), strict=True)]
    rows += [("model", "unrated", 50)]
    predictions = pd.DataFrame(rows, columns=["scorer", "recording_id", "overall"])
    return compare.joined(predictions, experts)


def test_joining_leaves_out_what_one_side_has_not_scored(table: pd.DataFrame) -> None:
    assert table.groupby("scorer")["recording_id"].apply(list).to_dict() == {
        "heuristic": ["a", "b"],
        "model": ["a", "b", "c", "d"],
    }


def test_filters_keep_everything_or_what_they_name(table: pd.DataFrame) -> None:
    assert len(compare.filtered(table)) == 6
    assert set(compare.filtered(table, speakers=["s2"])["recording_id"]) == {"c", "d"}
    assert set(compare.filtered(table, speakers=["s1"], texts=["su"])["recording_id"]) == {"b"}


def test_scorers_are_compared_on_the_same_recordings_only(table: pd.DataFrame) -> None:
    assert set(compare.on_the_same_recordings(table)["recording_id"]) == {"a", "b"}


def test_metrics_need_three_recordings(table: pd.DataFrame) -> None:
    metrics = compare.metrics_by_scorer(table)
    assert set(metrics) == {"model"}
    assert metrics["model"] == regression_metrics([90, 70, 50, 60], [85, 72, 70, 61], speakers=["s1", "s1", "s2", "s2"])


def test_the_worst_come_first_with_signed_errors(table: pd.DataFrame) -> None:
    rows = compare.worst(table, "model", n=2)
    assert list(rows["recording_id"]) == ["c", "a"]
    assert list(rows["error"]) == [20.0, -5.0]


def test_the_human_ceiling_needs_two_raters_of_the_same_recordings() -> None:
    ids = [str(number) for number in range(6)]
    one = pd.DataFrame({"recording_id": ids, "evaluator": "ada", "action": "rate", "score": np.arange(50.0, 56.0)})
    two = pd.concat([one, one.assign(evaluator="can", score=one["score"] + 4)])
    assert compare.human_ceiling(one, ids) is None
    assert compare.human_ceiling(two.assign(action="skip"), ids) is None
    ceiling = compare.human_ceiling(two, ids)
    assert ceiling is not None
    assert ceiling["mae"] == pytest.approx(4)


def test_metric_rows_name_the_target_reached_and_what_is_undefined() -> None:
    metrics = RegressionMetrics(10, mae=6.5, rmse=13.0, r2=None, within_5=0.4, intervals={"mae": (5.0, 8.25)})
    rows = {row["Metric"]: row for row in compare.metric_rows({"model": metrics}, {"mae": 3.0})}
    assert rows["MAE (points)"]["model"] == "6.50 [5.00, 8.25] · good"
    assert rows["RMSE (points)"]["model"] == "13.0"
    assert rows["R²"]["model"].startswith("undefined")
    assert rows["Within 5 points"]["model"] == "40%"
    assert rows["MAE (points)"]["Human ceiling"] == "3.00"
    assert rows["MAE (points)"]["Target"] == "< 10 / 7 / 5"


def test_one_raters_scores_or_the_consensus(installation: Settings, tiny_set: str) -> None:
    consensus = shared.expert_scores(tiny_set, None).set_index("recording_id")["score"]
    ayse = shared.expert_scores(tiny_set, "ayşe").set_index("recording_id")["score"]
    can = shared.expert_scores(tiny_set, "can").set_index("recording_id")["score"]
    assert len(consensus) == len(ayse) == 24
    pd.testing.assert_series_equal(consensus, (ayse + can) / 2)


def test_a_recordings_audio_is_found_by_its_id(installation: Settings, tiny_set: str, tmp_path: Path) -> None:
    path = shared.recording_audio("tiny/participant_001/kelimeler/02_çiçek")
    assert path == tmp_path / "tiny" / "participant_001" / "kelimeler" / "02_çiçek.wav"


@pytest.mark.parametrize("path", ["", "some/where", "/no/such/place"])
def test_an_import_of_nothing_is_refused_before_it_starts(installation: Settings, path: str) -> None:
    with pytest.raises(CorpusError):
        data.launch_import(path, "", "auto")
    assert not installation.jobs_root.exists()


@pytest.mark.parametrize("run_id", ["missing-12345678", "..", "../jobs"])
def test_an_unknown_job_is_refused(installation: Settings, run_id: str) -> None:
    with pytest.raises(JobError):
        jobs.job(run_id)


def test_a_report_is_read_back_as_it_was_measured(installation: Settings) -> None:
    run = RunDirectory.create(installation.runs_root, kind="word", name="x", config={})
    assert training.report_of(run) is None
    metrics = regression_metrics([10, 20, 30, 40], [12, 18, 33, 39])
    from pipeline.records import to_json

    content = {"metrics": metrics, "baselines": {"mean": metrics}, "importance": {"f0": 1.5}, "warnings": ["few"]}
    (run.path / "report.json").write_text(json.dumps(to_json(content)))
    report = training.report_of(run)
    assert report == training.Report(metrics, {"mean": metrics}, {"f0": 1.5}, ("few",))


def test_checks_tell_good_and_bad_apart() -> None:
    problems = (Problem("clipped", "It is clipped."), Problem("low_sample_rate", "The rate is low."))
    report = AudioReport(1.2, 8000, 1, 1.0, 0.02, 0.3, None, problems)
    found = {check.text: check.mark for check in checks_of(report)}
    assert found["It is clipped."] == "warning"
    assert found["The rate is low."] == "warning"
    assert found["Length: 1.2 s"] == "ok"
    assert sum(mark == "ok" for mark in found.values()) == 3


@pytest.mark.parametrize(
    ("confidence", "said"), [(0.93, "High.*9 of 10"), (0.5, "Medium.*5 of 10"), (0.2, "Low.*2 of")]
)
def test_confidence_is_told_as_a_frequency(confidence: float, said: str) -> None:
    import re

    result = ScoreResult(80, "good", "ml_model", "m", "m", Target("ev"), confidence=confidence)
    assert re.search(said, confidence_in_words(result))


def test_parts_filter_like_speakers_and_texts(table: pd.DataFrame) -> None:
    parted = table.assign(part=table["speaker"].map({"s1": "train", "s2": "dev"}))
    assert set(compare.filtered(parted, parts=["dev"])["speaker"]) == {"s2"}
    assert len(compare.filtered(parted)) == len(parted)


def test_utterances_become_rows_by_aspect_and_by_rater() -> None:
    utterances = [
        {
            "speaker": "s1", "text": "see", "age": 9, "reference": {"total": 6.0}, "predicted": {"total": 6.5},
            "experts": {"total": [5, 7]},
        },
        {"speaker": "s2", "text": "sea", "age": None, "reference": {"total": 8.0}, "predicted": {"total": 7.0}},
    ]  # fmt: skip
    rows = results.aspect_table(utterances, "total")
    assert rows[["expert", "predicted"]].to_numpy().tolist() == [[60.0, 65.0], [80.0, 70.0]]
    assert list(rows["age_group"]) == ["9-12", "?"]
    assert list(results.rater_table(utterances, "total")["expert"]) == [50.0, 70.0]
    assert results.rater_table(utterances[1:], "total").empty


def test_labels_of_models_leave_room_for_figures() -> None:
    assert label("speech-whisper_base-average-8b27de45-heads") == "whisper_bas…ge-heads"
    assert label("speech-tiny-0123abcd") == "tiny"
    assert unlike(["a", "b", "a"]) == ["a", "b", "a (2)"]


def test_short_names_of_models_leave_out_the_hash_unless_two_would_be_the_same() -> None:
    assert short_names(["word-a-0123abcd", "word-b-0123abcd", "heuristic"]) == {
        "word-a-0123abcd": "word-a", "word-b-0123abcd": "word-b", "heuristic": "heuristic",
    }  # fmt: skip
    assert short_names(["a-0123abcd", "a-4567abcd"]) == {"a-0123abcd": "a-0123abcd", "a-4567abcd": "a-4567abcd"}


def test_the_reference_of_a_recording_is_another_recording_of_its_text(installation: Settings, tiny_set: str) -> None:
    from pipeline.audio.load import load_audio
    from pipeline.corpus import references

    recording = shared.open_index().recording("tiny/participant_001/kelimeler/02_çiçek")
    reference = shared.reference_of(recording)
    assert reference is not None
    demo = load_audio(installation.demo_source / "references" / "çiçek.wav")
    assert np.array_equal(reference.samples, demo.samples)
    references.mark(installation, recording.id, GUEST)
    again = shared.reference_of(recording)
    assert again is not None
    assert np.array_equal(again.samples, demo.samples), "not the recording itself"


def test_review_names_the_sounds_that_marks_are_on() -> None:
    from dashboard.sections.review.history import _comments, _mark
    from pipeline.labels.marked_words import MarkedWord
    from pipeline.records import Mark, RatingAction, RatingEvent, Segment

    words = [MarkedWord("ağaç", ("a", "ğ", "a", "ç")), MarkedWord("THIS")]
    marks = (
        Mark(0, 1, "missing"),
        Mark(0, 3, "mispronounced", "j"),
        Mark(1, None, "tone"),
        Mark(1, 2, "stress"),
        Mark(4, 0, "added"),
    )
    assert [_mark(mark, words) for mark in marks] == [
        "ağaç, ğ (sound 2): left out", "ağaç, ç (sound 4): wrong sound → j", "THIS: wrong tone or intonation",
        "THIS, sound 3: stress in the wrong place", "5: something added",
    ]  # fmt: skip
    comments = (
        Segment("comments", 0.25, 0.25, "creaky"),
        Segment("comments", 0.5, 0.5),
        Segment("words", 0.0, 1.0, "x"),
    )
    assert _comments(RatingEvent("A", RatingAction.RATE, "", segments=comments)) == ["0.25 s: creaky"]
