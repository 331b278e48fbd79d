"""A speech language model as a scorer: evaluated, asked, deployed; and a published layout walked to Table 3."""

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.audio.load import load_audio
from pipeline.cli.main import main
from pipeline.errors import CorpusError, ModelError
from pipeline.importing.importer import import_path
from pipeline.records import RubricName, State, Target
from pipeline.settings import Settings
from pipeline.speechllm.answers import UNPARSED_SCORE
from tests.prepared import installation

ANSWERS = {
    "apa": '{"accuracy": 7, "fluency": 6, "prosodic": 5, "total": 6}',
    "mdd": '{"word_transcript": "SEE", "phoneme_transcript": "S IY"}',
}
TARGET = Target("See.", "en", RubricName.SENTENCE)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, speech_manifest: Path) -> Settings:
    """An installation with the corpus as the set `ocean`."""
    settings = installation(tmp_path_factory.mktemp("scorer"))
    import_path(settings, speech_manifest, name="ocean")
    return settings


def pronlab(settings: Settings, monkeypatch: pytest.MonkeyPatch, *words: str) -> Any:
    """What a command prints as JSON."""
    from click.testing import CliRunner

    monkeypatch.setenv("PRONLAB_DATA_ROOT", str(settings.data_root))
    monkeypatch.setenv("PRONLAB_MODELS_ROOT", str(settings.models_root))
    result = CliRunner().invoke(main, [*words, "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.output + result.stderr
    return json.loads(result.stdout.strip().splitlines()[-1])


@pytest.fixture(scope="module")
def arms(home: Settings) -> dict[str, Any]:
    """Two arms on the imported set, by one command."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.speechllm.generation.MAX_NEW_TOKENS", 8)
        words = ["train", "speechllm", "--arm", "tiny", "--arm", "zero_shot", "--set", "ocean", "--evaluation-part", ""]
        words += ["--limit", "2", "--evaluation-limit", "1", "--override", "merge_speech=false", "--model", "tiny"]
        trained: dict[str, Any] = pronlab(home, patch, *words)
    return trained


@pytest.fixture
def run(arms: dict[str, Any]) -> str:
    return str(arms["arms"][0]["run"])


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The model answers well, but for every fifth scoring. Returns the sizes of its batches."""
    sizes: list[int] = []

    def generate(phi4: Any, inputs: dict[str, Any]) -> list[str]:
        texts = phi4.tokenizer.batch_decode(inputs["input_ids"])
        sizes.append(len(texts))
        tasks = ["apa" if "<|APA|>" in text else "mdd" for text in texts]
        return ["no idea" if task == "apa" and k % 5 == 4 else ANSWERS[task] for k, task in enumerate(tasks)]

    monkeypatch.setattr("pipeline.speechllm.generation.generate", generate)
    return sizes


def test_both_arms_are_trained_in_turn_and_stand_side_by_side(home: Settings, arms: dict[str, Any]) -> None:
    first, second = arms["arms"]
    assert first["table3"]["per"]["paper"] == 0.154
    assert second["table3"]["per"]["paper"] == 0.792
    for arm in (first, second):
        assert (home.runs_root / arm["run"] / "model" / "speechllm.json").is_file()


def test_a_run_is_evaluated_by_its_id(
    home: Settings, run: str, answers: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("evaluate", "--scorer", "speechllm", "--model", run, "--set", "ocean", "--part", "train")
    # All speakers were trained on or held out; as if none had been.
    monkeypatch.setattr("pipeline.speechllm.model_files.SpeechLlmInfo.has_heard", lambda self, corpus, speaker: False)
    told: list[str] = []
    monkeypatch.setattr("pipeline.cli.score._OnErrorStream.emit", lambda _, record: told.append(record.getMessage()))
    report = pronlab(home, monkeypatch, *words, "--device", "cpu")
    assert [line.partition(":")[0] for line in told] == ["Device", "Attention"]
    assert told[0].endswith("asked for.")
    assert (report["scorer"], report["model_id"], report["n"]) == ("speechllm", run, 12)
    assert answers == [16, 8], "in batches, both tasks of the twelve recordings"
    assert set(report["utterance"]) == {"accuracy", "fluency", "prosodic", "total"}
    assert report["utterance"]["total"]["n"] == 12
    assert report["unparsed"] == report["answers"]["apa"]["unparsed"] == 2
    assert report["answers"]["mdd"] == {"n": 12, "unparsed": 0}
    # A third of the sentences is "see"; of the other two none of the words is right.
    assert report["wer"] == pytest.approx((4 * 2 + 4 * 2) / (4 * (2 + 1 + 2)))
    assert 0 < report["per"] < 1
    assert 0 < report["mdd"]["recall"] <= 1
    assert report["per_told"] is None
    assert report["failed"] == 0


def test_speakers_that_were_trained_on_are_left_out(
    home: Settings, run: str, answers: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("evaluate", "--scorer", "speechllm", "--model", str(home.runs_root / run), "--set", "ocean")
    report = pronlab(home, monkeypatch, *words)
    info = json.loads((home.runs_root / run / "model" / "speechllm.json").read_text(encoding="utf-8"))
    assert info["speakers"] == ["ocean/s1"]
    assert (report["n"], report["n_not_held_out"]) == (9, 3)


def test_one_recording_gets_scores_and_transcripts_in_one_answer(
    home: Settings, run: str, answers: list[int], speech_manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    audio = str(speech_manifest.parent / "00.wav")
    score = pronlab(home, monkeypatch, "score", audio, "--text", "See.", "--scorer", "speechllm", "--model", run)
    assert score["dimensions"] == {"accuracy": 7.0, "fluency": 6.0, "prosodic": 5.0, "total": 6.0}
    assert (score["overall"], score["heard_text"], score["heard_phones"]) == (60.0, "see", ["S", "IY"])
    assert answers == [2]
    assert pronlab(home, monkeypatch, "score", audio, "--text", "See.", "--model", run)["scorer"] == "speechllm"


def test_answers_that_cannot_be_read_are_no_score(
    home: Settings, run: str, speech_manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.evaluation.pairing import pair_of
    from pipeline.labels.corpus_source import of_set
    from pipeline.scoring.base import score_file
    from pipeline.scoring.selection import load_scorer

    monkeypatch.setattr("pipeline.speechllm.generation.generate", lambda phi4, inputs: ["?"] * len(inputs["input_ids"]))
    scorer = load_scorer(home, "speechllm", RubricName.SENTENCE, model=home.runs_root / run / "model")
    result = score_file(scorer, speech_manifest.parent / "00.wav", TARGET)
    assert (result.overall, result.state, result.heard_phones) == (None, State.UNPARSED, None)
    pair = pair_of(of_set(home, "ocean").items[0], result)
    assert set(pair.predicted.values()) == {UNPARSED_SCORE}
    assert (pair.recognised_phones, pair.recognised_words) == ((), ())
    with pytest.raises(CorpusError, match="scores en only, not 'tr'"):
        scorer.score(load_audio(speech_manifest.parent / "00.wav"), Target("Gel.", "tr", RubricName.SENTENCE))


def test_a_set_is_scored_and_the_model_deployed_with_what_it_needs(
    home: Settings, run: str, answers: list[int], speech_manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.deployment.model_registry import Stage, entries
    from pipeline.scoring.batch import read_predictions
    from pipeline.scoring.selection import load, scorer_names, select

    with pytest.raises(ModelError, match="No speech language model is deployed"):
        load(home, select(home, TARGET, "speechllm"))
    counts = pronlab(home, monkeypatch, "score-set", "ocean", "--scorer", "speechllm", "--model", run)
    assert counts["scorers"]["speechllm"]["n"] == 10
    assert list(read_predictions(home, "ocean")["model_id"].unique()) == [run]

    before = select(home, TARGET).scorer
    deployed = pronlab(home, monkeypatch, "deploy", run)
    assert deployed["place"] == "speech-en"
    assert deployed["needs"] == "It takes about 0.0 GB of memory; a processor will do."
    assert select(home, TARGET).scorer == "speechllm"
    assert "speechllm" in scorer_names(home, RubricName.SENTENCE)
    live = [entry for entry in entries(home) if entry.place == "speech-en" and entry.stage is Stage.LIVE]
    assert [entry.model_id for entry in live] == [run]
    audio = str(speech_manifest.parent / "00.wav")
    assert pronlab(home, monkeypatch, "score", audio, "--text", "See.")["model_id"] == run
    pronlab(home, monkeypatch, "deploy", "--rollback", "sentence")
    assert select(home, TARGET).scorer == before


def test_the_gpu_that_a_model_needs_is_named() -> None:
    from pipeline.speechllm.deployed import needs

    assert needs(11.9).startswith("It needs a GPU with about 11.9 GB of memory, for instance T4 16GB.")
    assert "more than any GPU" in needs(500.0)


def test_any_checkpoint_is_evaluated_by_its_folder(
    home: Settings, published: Path, answers: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    report = pronlab(
        home, monkeypatch, "evaluate", "--scorer", "speechllm", "--model", str(published), "--set", "ocean"
    )
    assert (report["model_id"], report["n"], report["unparsed"]) == (published.name, 12, 2)


def test_folders_are_known_by_what_lies_in_them(tmp_path: Path) -> None:
    from pipeline.speechllm.model_files import load_info

    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    plain = load_info(tmp_path)
    assert (plain.model, plain.merge_speech, plain.config(tmp_path).model) == ("", False, str(tmp_path))
    (tmp_path / "speech-lora").mkdir()
    (tmp_path / "speech-lora" / "adapter_config.json").write_text("{}", encoding="utf-8")
    assert load_info(tmp_path).merge_speech
    (tmp_path / "adapter_config.json").write_text('{"base_model_name_or_path": "x/y"}', encoding="utf-8")
    assert (load_info(tmp_path).model, load_info(tmp_path).revision) == ("x/y", "refs/pr/70")
    (tmp_path / "speechllm.json").write_text('{"model_id": 5}', encoding="utf-8")
    with pytest.raises(ModelError, match="model_id is not of its type"):
        load_info(tmp_path)
    with pytest.raises(ModelError, match="holds no speech language model"):
        load_info(tmp_path / "none")
