"""Who answers: the rule as a table, over rubric, language, installed models and what is asked for by name."""

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipeline.audio.load import load_audio
from pipeline.cli.main import main
from pipeline.corpus.sets import get_set, read_recordings, target_of
from pipeline.errors import CorpusError, ModelError, UnknownNameError
from pipeline.evaluation.evaluate import evaluate
from pipeline.evaluation.reference import reference_of_manifest
from pipeline.importing.importer import import_path
from pipeline.records import RubricName, Target
from pipeline.scoring.base import score_audio
from pipeline.scoring.batch import ScorerSpec
from pipeline.scoring.selection import default_language, default_scorer, load, load_scorer, select, settle
from pipeline.settings import CHECKOUT, Settings

WORD, SENTENCE = RubricName.WORD, RubricName.SENTENCE
RELEASED = CHECKOUT / "models"
MASA = CHECKOUT / "data" / "demo" / "references" / "masa.wav"
SPEECH, TURKISH_WORDS, ENGLISH_SENTENCES = "speech-en", "word-demo-reference", "sentence-so762-timing"
EVERYTHING = (SPEECH, TURKISH_WORDS, "word-demo", ENGLISH_SENTENCES, "sentence-so762")
Install = Callable[[Sequence[str]], Path]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Has only the given models released."""

    def installed(names: Sequence[str]) -> Path:
        released = tmp_path / "released"
        released.mkdir()
        for name in names:
            (released / name).symlink_to(RELEASED / name)
        monkeypatch.setattr(Settings, "released_models", property(lambda _: released))
        return released

    return installed


TABLE = [
    # rubric, language, text, installed, asked for by name: scorer, model, settled language, in the notes
    (WORD, "tr", "masa", EVERYTHING, None, "model", TURKISH_WORDS, "tr", ""),
    (WORD, "und", "masa", EVERYTHING, None, "model", TURKISH_WORDS, "tr", "No language was given: scored as Turkish"),
    (WORD, "en", "table", EVERYTHING, None, "heuristic", None, "en", "No model scores words in English"),
    (WORD, "de", "Tisch", EVERYTHING, None, "heuristic", None, "de", "No model scores words in “de”"),
    (
        WORD,
        "tr",
        "masa",
        (SPEECH, ENGLISH_SENTENCES),
        None,
        "heuristic",
        None,
        "tr",
        "No model scores words in Turkish",
    ),
    (SENTENCE, "en", "a table", EVERYTHING, None, "speech", SPEECH, "en", ""),
    (SENTENCE, "und", "a table", EVERYTHING, None, "speech", SPEECH, "en", "No language was given: scored as English"),
    (SENTENCE, "und", "bir ağaç", EVERYTHING, None, "heuristic", None, "tr", "scored as Turkish."),
    (
        SENTENCE,
        "en",
        "bir ağaç",
        EVERYTHING,
        None,
        "speech",
        SPEECH,
        "en",
        "has Turkish letters and is scored as English",
    ),
    (SENTENCE, "tr", "bir masa", EVERYTHING, None, "heuristic", None, "tr", "No model scores sentences in Turkish"),
    (SENTENCE, "de", "ein Tisch", EVERYTHING, None, "heuristic", None, "de", "No model scores sentences in “de”"),
    (SENTENCE, "en", "a table", (TURKISH_WORDS, ENGLISH_SENTENCES), None, "model", ENGLISH_SENTENCES, "en", ""),
    (
        SENTENCE,
        "en",
        "a table",
        (TURKISH_WORDS,),
        None,
        "heuristic",
        None,
        "en",
        "No model scores sentences in English",
    ),
    (SENTENCE, "en", "a table", (), None, "heuristic", None, "en", "No model scores sentences in English"),
    # Whoever is asked by name answers, whatever the language, and a model that is missing is missed when it is loaded.
    (WORD, "tr", "masa", EVERYTHING, "heuristic", "heuristic", None, "tr", ""),
    (WORD, "de", "Tisch", EVERYTHING, "acoustic57", "acoustic57", "word-demo", "de", ""),
    (WORD, "en", "table", EVERYTHING, "speech", "speech", SPEECH, "en", ""),
    (SENTENCE, "tr", "bir masa", EVERYTHING, "speech", "speech", SPEECH, "tr", ""),
    (SENTENCE, "und", "a table", EVERYTHING, "timing", "timing", ENGLISH_SENTENCES, "en", "No language was given"),
    (SENTENCE, "en", "a table", EVERYTHING, "model", "model", ENGLISH_SENTENCES, "en", ""),
    (WORD, "tr", "masa", (), "acoustic57", "acoustic57", None, "tr", ""),
    (SENTENCE, "en", "a table", (), "speech", "speech", None, "en", ""),
]


@pytest.mark.parametrize(("rubric", "language", "text", "models", "named", "scorer", "model", "settled", "note"), TABLE)
def test_who_answers(
    settings: Settings, install: Install, rubric: RubricName, language: str, text: str, models: Sequence[str],
    named: str | None, scorer: str, model: str | None, settled: str, note: str,
) -> None:  # fmt: skip
    released = install(models)
    selection = select(settings, Target(text, language, rubric), named)
    assert (selection.scorer, selection.model) == (scorer, None if model is None else released / model)
    assert selection.target == Target(text, settled, rubric)
    assert note in " ".join(selection.notes)
    assert bool(note) == bool(selection.notes)


@pytest.mark.parametrize("rubric", list(RubricName))
@pytest.mark.parametrize("name", EVERYTHING)
def test_a_model_folder_answers_whatever_is_asked(settings: Settings, name: str, rubric: RubricName) -> None:
    selection = select(settings, Target("x", "de", rubric), model=RELEASED / name)
    assert (selection.scorer, selection.model) == ("speech" if name == SPEECH else "model", RELEASED / name)
    assert selection.notes == ()


def test_a_deployed_model_comes_before_a_released_one_if_it_knows_the_language(settings: Settings) -> None:
    deployed = settings.deployed_root / "word"
    shutil.copytree(RELEASED / "word-demo", deployed)
    assert select(settings, Target("masa", "tr")).model == deployed
    info = json.loads((deployed / "model_info.json").read_text(encoding="utf-8"))
    for language, turkish, german in (("de", RELEASED / TURKISH_WORDS, deployed), ("und", deployed, deployed)):
        (deployed / "model_info.json").write_text(json.dumps({**info, "language": language}), encoding="utf-8")
        assert select(settings, Target("masa", "tr")).model == turkish
        assert select(settings, Target("Tisch", "de")).model == german


def test_an_unknown_scorer_and_a_missing_model_are_told_apart(settings: Settings, install: Install) -> None:
    install(())
    with pytest.raises(UnknownNameError, match="heuristic"):
        select(settings, Target("masa", "tr"), "oracle")
    for name, rubric in (("acoustic57", WORD), ("speech", SENTENCE), ("model", WORD)):
        with pytest.raises(ModelError, match=r"pronlab train|pronlab deploy"):
            load_scorer(settings, name, rubric)


def test_a_scorer_is_loaded_once_and_again_after_a_deployment(settings: Settings) -> None:
    deployed = settings.deployed_root / "word"
    shutil.copytree(RELEASED / "word-demo", deployed)
    first = load(settings, select(settings, Target("masa", "tr")))
    assert load(settings, select(settings, Target("elma", "tr"))) is first
    shutil.rmtree(deployed)
    shutil.copytree(RELEASED / TURKISH_WORDS, deployed)
    assert load(settings, select(settings, Target("masa", "tr"))).name == "reference"


def test_the_notes_stand_before_the_warnings_of_the_answer(settings: Settings) -> None:
    selection = select(settings, Target("table", "en"))
    result = selection.told(score_audio(load(settings, selection), load_audio(MASA), selection.target))
    assert result.scorer == "heuristic"
    assert result.warnings[0] == "No model scores words in English here: scored by rule."
    assert len(result.warnings) > 1


def test_the_english_scorer_has_no_fallback(settings: Settings) -> None:
    with pytest.raises(CorpusError, match="English"):
        load_scorer(settings, "speech", SENTENCE).score(load_audio(MASA), Target("bir masa", "tr", SENTENCE))


def test_defaults() -> None:
    assert [default_language(WORD, "masa"), default_language(SENTENCE, "a table")] == ["tr", "en"]
    assert default_language(SENTENCE, "bir ağaç") == "tr"
    assert settle(Target("Über", "de", SENTENCE))[0].language == "de"


def test_the_default_scorer_of_a_rubric(settings: Settings, install: Install) -> None:
    assert [default_scorer(settings, rubric) for rubric in (WORD, SENTENCE)] == ["reference", "speech"]
    install(())
    assert [default_scorer(settings, rubric) for rubric in (WORD, SENTENCE)] == ["heuristic", "heuristic"]


# From end to end


def manifest(folder: Path, texts: Sequence[str], language: str = "") -> Path:
    """A manifest with made-up scores; without `language`, which is optional."""
    folder.mkdir(exist_ok=True)
    rows = []
    recordings = sorted((CHECKOUT / "data" / "demo" / "references").glob("*.wav"))
    for number, (text, source) in enumerate(zip(texts, recordings, strict=False)):
        shutil.copy(source, folder / f"{number}.wav")
        row = {"audio": f"{number}.wav", "text": text, "speaker": f"s{number}", "score": 60 + number}
        rows.append(row | ({"language": language} if language else {}))
    (folder / "manifest.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return folder / "manifest.jsonl"


def test_a_sentence_manifest_without_a_language_is_evaluated_by_the_command_line(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRONLAB_DATA_ROOT", str(settings.data_root))
    monkeypatch.setenv("PRONLAB_MODELS_ROOT", str(settings.models_root))
    file = manifest(tmp_path / "sentences", ["a tree", "the door", "a lemon"])
    done = CliRunner().invoke(main, ["evaluate", "--manifest", str(file), "--json"])
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert report["scorer"] == "speech"
    assert report["n"] + report["failed"] == 3
    assert report["warnings"] == ["3 of 3 recordings: No language was given: scored as English."]


def test_sentences_without_a_model_are_evaluated_by_rule(settings: Settings, tmp_path: Path) -> None:
    file = manifest(tmp_path / "sentences", ["ein Baum", "die Tür"], "de")
    report = evaluate(ScorerSpec(settings), reference_of_manifest(file), source="m").report
    assert (report.scorer, report.n, report.n_by_rule) == ("heuristic", 2, 0)
    assert "No model scores sentences in “de”" in report.warnings[0]


def test_sentences_of_another_language_are_no_figure_of_the_model(settings: Settings, tmp_path: Path) -> None:
    file = manifest(tmp_path / "sentences", ["a tree", "bir ağaç", "a lemon"])
    report = evaluate(ScorerSpec(settings), reference_of_manifest(file), source="m").report
    assert (report.scorer, report.n_by_rule) == ("speech", 1)


def test_a_set_gives_its_language_to_recordings_without_one(settings: Settings, tmp_path: Path) -> None:
    file = manifest(tmp_path / "sentences", ["bir kapı", "bir masa"])
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    rows[0]["language"] = "tr"
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    import_path(settings, file, name="doors")
    set_ = get_set(settings, "doors")
    recordings = read_recordings(settings, "doors")
    assert [recording.language for recording in recordings] == ["tr", "und"]
    assert [target_of(set_, recording).language for recording in recordings] == ["tr", "tr"]
    reference = reference_of_manifest(file, settings=settings)
    assert [item.target.language for item in reference.items] == ["tr", "tr"]
