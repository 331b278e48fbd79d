"""Trees on tables: cleaning, training, deploying and scoring written prompts; words go to their own scorer."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from pipeline import jsonl
from pipeline.cli.main import main
from pipeline.deployment.model_registry import PROMPTS, add_candidate, entries, make_live, roll_back
from pipeline.deployment.prediction_log import PredictionLog
from pipeline.deployment.prompt_answering import score_prompt
from pipeline.deployment.routing import begin, end, set_shadow, side
from pipeline.errors import ModelError, TrainingError
from pipeline.monitoring.inputs import feature_drift
from pipeline.monitoring.outcomes import compare
from pipeline.monitoring.retraining import criteria, raters
from pipeline.regressors.balance import band_weights
from pipeline.regressors.trees import FULL_GRIDS, fit, searched
from pipeline.runs import RunDirectory, list_runs
from pipeline.settings import CHECKOUT, Settings
from pipeline.tabular.catalogue import get_task, task_names
from pipeline.tabular.cleaning import clean
from pipeline.tabular.config import TabularConfig, load_preset
from pipeline.tabular.model_files import INFO, WEIGHTS, in_use, load_model
from pipeline.tabular.prompt_encoder import divided, load_encoder, train_encoder
from pipeline.tabular.prompt_encoder_config import PromptModelConfig
from pipeline.tabular.prompts.features import feature_names, syllables_in, text_features
from pipeline.tabular.prompts.level0 import level0
from pipeline.tabular.prompts.store import PromptError, Store, read_file
from pipeline.tabular.prompts.synthesize import synthesize
from pipeline.tabular.task import Row
from pipeline.tabular.train import load_table, train_tabular
from tests.pages import button

SHIPPED = CHECKOUT / "data" / "synthetic-prompts" / "prompts.jsonl"


def trained(settings: Settings, **options: Any) -> tuple[RunDirectory, dict[str, Any]]:
    config = TabularConfig(**{"source": str(SHIPPED), "trees": 60, "folds": 3, "name": "t", **options})
    run = RunDirectory.create(settings.runs_root, kind="table", name="t", config=config)
    with run.start() as writer:
        report = train_tabular(settings, config, writer)
    return run, report


# Cleaning


def row(number: int, content: str = "", label: float | None = 50.0, group: str = "a", size: float = 9.0) -> Row:
    return Row(f"r{number}", group, content or f"content {number}", size, label)


def test_what_cannot_be_learnt_from_is_counted_by_why() -> None:
    rows = [
        row(0), row(1, label=None), row(2, label=101.0), row(3, label=float("nan")), row(4, size=1.0),
        row(5, "Same  text"), row(6, "same text", 55.0), row(7, "split"), row(8, "Split", 80.0), row(9, group="b"),
    ]  # fmt: skip
    found = clean(rows, get_task("prompts"))
    assert [one.id for one in found.kept] == ["r0", "r5", "r9"]
    assert found.dropped == {
        "has no label": 1, "has a label outside 0-100": 2, "is too short": 1,
        "repeats an earlier item": 1, "contradicts an identical item": 2,
    }  # fmt: skip
    assert found.conflicts == (("r7", "r8"),)
    assert sum(found.bands.values()) == 3
    assert found.n == len(found.kept) + sum(found.dropped.values())


def test_a_lopsided_table_is_warned_of() -> None:
    found = clean([row(n, group="one hand") for n in range(30)], get_task("prompts"))
    assert any("habits" in warning for warning in found.warnings)
    assert any("Excellent" in warning for warning in found.warnings)


# Trees


@pytest.mark.parametrize("model", ["forest", "boosting"])
def test_trees_answer_as_scikit_learn_does(model: str) -> None:
    from sklearn.ensemble import GradientBoostingRegressor, RandomForestRegressor

    draw = np.random.default_rng(0)
    x = draw.normal(size=(200, 6)).astype(np.float32)
    y = 50 + 10 * x[:, 0] - 8 * np.abs(x[:, 1]) + draw.normal(size=200)
    config = TabularConfig(model=model, trees=30, depth=4, min_leaf=2)
    own = fit(x, y, config, 5).predict(x)
    if model == "forest":
        theirs = RandomForestRegressor(30, max_depth=4, min_samples_leaf=2, max_features=1 / 3, random_state=5)
    else:
        theirs = GradientBoostingRegressor(
            n_estimators=30, learning_rate=0.1, max_depth=4, min_samples_leaf=2, subsample=0.8, random_state=5
        )
    np.testing.assert_allclose(own, theirs.fit(x, y).predict(x), atol=1e-3)


def test_a_full_grid_tries_every_combination_with_one_fit_for_all_numbers_of_trees(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(FULL_GRIDS, "forest", {"trees": [4, 8], "depth": [0, 2], "min_split": [2, 9], "min_leaf": [1]})
    draw = np.random.default_rng(2)
    x = draw.normal(size=(60, 3)).astype(np.float32)
    y = np.clip(50 + 15 * x[:, 0], 0, 100)
    groups = np.array([f"g{n % 6}" for n in range(60)])
    trials: list[tuple[int, dict[str, Any], float]] = []
    config = TabularConfig(search="full")
    best = searched(x, y, groups, config, 0, lambda *trial: trials.append(trial))
    assert [number for number, _settings, _value in trials] == list(range(8))
    assert len({tuple(tried.items()) for _number, tried, _value in trials}) == 8
    _number, tried, value = min(trials, key=lambda trial: trial[2])
    assert {name: getattr(best, name) for name in tried} == tried
    alone = fit(x, y, TabularConfig(trees=4), 3).predict(x)
    first = fit(x, y, TabularConfig(trees=8), 3).each(x)[:, :4].mean(axis=1)
    np.testing.assert_allclose(alone, first, atol=1e-4)
    assert value == min(value for _number, _settings, value in trials)
    counts = {model: np.prod([len(values) for values in grid.values()]) for model, grid in FULL_GRIDS.items()}
    assert counts["boosting"] == 81


def test_bands_with_few_items_weigh_more() -> None:
    scores = np.array([95.0] + [75.0] * 3 + [30.0] * 6)
    weights = band_weights(scores)
    assert weights.mean() == pytest.approx(1.0)
    assert weights[0] == pytest.approx(5 * weights[-1]), "at most five times the others"
    assert weights[1] == pytest.approx(2 * weights[-1])
    draw = np.random.default_rng(0)
    x = draw.normal(size=(80, 2)).astype(np.float32)
    y = np.where(np.arange(80) < 72, 75.0, 20.0)
    plain, balanced = (fit(x, y, TabularConfig(trees=20, min_leaf=9, balance=b), 0).predict(x) for b in (False, True))
    assert balanced.mean() < plain.mean() - 5, "the rare low band counts"


@pytest.mark.parametrize("search", ["grid", "optuna"])
def test_a_search_finds_what_suits_the_data(search: str) -> None:
    draw = np.random.default_rng(1)
    x = draw.normal(size=(120, 4)).astype(np.float32)
    y = np.clip(50 + 15 * x[:, 0] + draw.normal(0, 15, 120), 0, 100)
    groups = np.array([f"g{n % 8}" for n in range(120)])
    start = TabularConfig(model="boosting", trees=100, rate=0.3, depth=5, min_leaf=1, search=search, trials=4)
    found = searched(x, y, groups, start, 0)
    test = draw.normal(size=(400, 4)).astype(np.float32)
    truth = np.clip(50 + 15 * test[:, 0], 0, 100)
    errors = [np.abs(fit(x, y, one, 0).predict(test) - truth).mean() for one in (start, found)]
    assert errors[1] < errors[0], "less overfitted than the settings it began with"


# The whole way


@pytest.mark.parametrize("model", ["forest", "boosting"])
def test_prompts_are_scored_better_than_by_the_rule(settings: Settings, model: str) -> None:
    run, report = trained(settings, model=model, depth=3 if model == "boosting" else 0)
    assert report["metrics"]["mae"] < 11
    assert report["metrics"]["mae"] < min(
        report["baselines"][name]["mae"] for name in ("training mean", "level 0 (rules)")
    )
    assert {"constraints", "vague_share"} & set(sorted(report["permutation"], key=report["permutation"].get)[-6:])
    assert sum(report["importance"].values()) == pytest.approx(1)
    assert len(report["errors"]["worst"]) == 10
    assert {one["name"] for one in report["errors"]["by_group"]} <= {f"author {n:02}" for n in range(1, 25)}
    assert len((run.path / "predictions.csv").read_text().splitlines()) == 1 + report["metrics"]["n"]
    model_ = load_model(run.path / "model")
    confidence = model_.confidence(50.0)
    assert confidence is not None
    assert 0 < confidence <= 1


@pytest.mark.usefixtures("demo")
def test_words_are_trained_by_the_word_scorer(settings: Settings) -> None:
    env = {"PRONLAB_DATA_ROOT": str(settings.data_root), "PRONLAB_MODELS_ROOT": str(settings.models_root)}
    given = ["--folds", "2", "--trees", "8", "--seed", "3", "--json"]
    results = [
        CliRunner().invoke(main, ["train", *command, *given], env=env)
        for command in (
            ["table", "--task", "words", "--source", "demo"],
            ["word", "--set", "demo", "--model", "forest"],
        )
    ]
    assert [result.exit_code for result in results] == [0, 0], results[0].output
    assert "as `pronlab train word` does" in results[0].stderr
    table, word = (json.loads(result.stdout) for result in results)
    assert table["metrics"] == word["metrics"]
    assert table["baselines"] == word["baselines"]
    assert {run.state.kind for run in list_runs(settings.runs_root)} == {"word"}
    assert task_names() == ["prompts"]
    for command in (["table", "recording", "a.wav", "--word", "masa"], ["table", "clean", "words"]):
        refused = CliRunner().invoke(main, command, env=env)
        assert refused.exit_code == 1
        assert "pronlab score FILE --word WORD" in refused.output


def test_people_are_kept_on_one_side(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A feature that is the author's number helps nothing, as no fold holds out an author it learnt from."""
    from pipeline.tabular import train as module

    seen: list[tuple[set[str], set[str]]] = []
    original = module.speaker_folds

    def watched(groups: Any, n: int, seed: int) -> Any:
        folds = original(groups, n, seed)
        for fold in range(n):
            inside, outside = (
                {g for g, f in zip(groups, folds, strict=True) if (f == fold) is same} for same in (True, False)
            )
            seen.append((inside, outside))
        return folds

    monkeypatch.setattr(module, "speaker_folds", watched)
    trained(settings)
    assert seen
    assert not any(inside & outside for inside, outside in seen)


def test_deployed_used_logged_and_taken_back(settings: Settings) -> None:
    text = "Explain how a heat pump works. Use at most 120 words. The readers are new customers."
    assert score_prompt(settings, text).result.model_id == "level-0"
    run, _ = trained(settings)
    make_live(settings, run.path / "model", run=run.id)
    scored = score_prompt(settings, text, participant="Ada")
    assert scored.result.model_id == run.id
    assert scored.analysis.rule == level0(text).score
    assert "a reason" in scored.analysis.missing
    log = PredictionLog(settings)
    assert log.newest(run.id)[0].participant == "Ada"
    assert log.sampled_features(run.id).shape == (1, len(feature_names()))
    for _ in range(60):
        score_prompt(settings, text)
    drift = feature_drift(settings, None, run.id)
    assert "training items" in drift.source
    assert drift.features[0].verdict == "large", "sixty times the same text"
    vague = score_prompt(settings, "Names for a bakery, something nice about it.")
    assert (vague.result.overall or 0) < (scored.result.overall or 0) - 10
    assert roll_back(settings, PROMPTS) is None
    assert in_use(settings, PROMPTS) is None
    assert [(entry.place, entry.model_id, entry.stage) for entry in entries(settings)][-1][1:] == (run.id, "retired")
    with pytest.raises(ModelError, match="No model is deployed"):
        roll_back(settings, PROMPTS)


def test_prompts_are_compared_shadowed_and_advised_on_like_other_scorers(settings: Settings) -> None:
    store = Store(settings)
    store.add_file(SHIPPED)
    run, _ = trained(settings, source="")
    other, _ = trained(settings, source="", model="boosting", depth=2)
    make_live(settings, run.path / "model", run=run.id)
    add_candidate(settings, other.path / "model", "", other.id)
    set_shadow(settings, PROMPTS, other.id)
    compared = begin(settings, PROMPTS, "deployed", "heuristic", 0.5, "")
    people = [f"author {n}" for n in range(40)]
    log = PredictionLog(settings)
    for name in people:
        scored = score_prompt(settings, "Explain fractions in 90 words.", name, name)
        assert scored.result.model_id == (run.id if side(compared, name) == "a" else "level-0")
        log.feedback(scored.prediction, score=70.0, kind="expert")
    outcome = compare(log.labelled(), log.arm_counts(compared.id))
    assert outcome.a.n + outcome.b.n == 40
    assert outcome.difference is not None
    assert len(log.newest(other.id)) == 40, "the shadow scored every prompt"
    end(settings, compared.id)
    entry = next(entry for entry in entries(settings) if entry.model_id == run.id)
    store.add("Explain decimals.", "Ada", 60.0, "Rita")
    _error, ratings, _age = criteria(settings, entry, log.labelled())
    assert (ratings.value, ratings.met) == ("1", False), "made-up scores are nobody's"
    assert raters(settings, entry) == {}


def test_a_model_of_another_spacy_gives_way_to_the_rules_and_says_so(settings: Settings) -> None:
    run, _ = trained(settings)
    folder = run.path / "model"
    info = json.loads((folder / INFO).read_text())
    info["feature_names"][0] = "share_of_something"
    (folder / INFO).write_text(json.dumps(info))
    make_live(settings, folder)
    result = score_prompt(settings, "Explain fractions.").result
    assert result.model_id == "level-0"
    assert "another spaCy model" in result.warnings[0]


def test_a_model_that_was_changed_is_refused(settings: Settings) -> None:
    run, _ = trained(settings)
    weights = run.path / "model" / WEIGHTS
    weights.write_bytes(weights.read_bytes()[:-4] + b"evil")
    with pytest.raises(ModelError, match="is not the file"):
        load_model(run.path / "model")
    (run.path / "model" / INFO).write_text("{}")
    with pytest.raises(ModelError, match="that can be read"):
        load_model(run.path / "model")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model": "svm", "folds": 1, "rate": 0.0}, "model is one of.*folds.*rate"),
        ({"search": "luck"}, "search is one of"),
    ],
)
def test_wrong_settings_are_said_at_once(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(TrainingError, match=words):
        TabularConfig(**changes)
    assert TabularConfig(**load_preset("boosting_searched")).search == "optuna"


def test_too_little_to_learn_from(settings: Settings, tmp_path: Path) -> None:
    few = tmp_path / "few.jsonl"
    jsonl.write(few, synthesize(12))
    with pytest.raises(TrainingError, match=r"usable items: 12, people: \d"):
        load_table(settings, get_task("prompts"), str(few))


# Prompts


def test_the_shipped_set_is_what_the_script_makes() -> None:
    assert b"".join(map(jsonl.dumps, synthesize())) == SHIPPED.read_bytes()
    assert all(one.rater == "made up" and one.notes == "synthetic" for one in read_file(SHIPPED))


@pytest.mark.parametrize("text", ["", "?", "\n\n\n", "x" * 8000, "Ğüşİöç 漢字 🙂", "1. 2. 3."])
def test_features_are_finite_for_any_text(text: str) -> None:
    found = text_features(text)
    assert found.shape == (len(feature_names()),)
    assert np.isfinite(found).all()
    assert 0 <= level0(text).score <= 100


def test_features_by_hand() -> None:
    text = "Write a list of 3 names.\nUse at most 20 words, because space is short."
    found = dict(zip(feature_names(), text_features(text).tolist(), strict=True))
    assert (found["n_words"], found["n_sentences"], found["n_lines"], found["numbers"]) == (13, 2, 2, 2)
    assert (found["begins_with_verb"], found["constraints"], found["reasons"]) == (1, 1, 1)
    assert [syllables_in(word) for word in ("cat", "table", "make", "banana", "education")] == [1, 2, 1, 3, 4]


@pytest.mark.parametrize(
    ("text", "met"),
    [
        ("Explain fractions to beginners in 90 words.", ("limits", "an audience or a role")),
        ("Explain fractions for children.", ("an audience or a role",)),
        ("Tell of 3 friends.", ()),
    ],
)
def test_limits_and_readers_are_seen_however_they_are_written(text: str, met: tuple[str, ...]) -> None:
    assert tuple(name for name in ("limits", "an audience or a role") if name in level0(text).met) == met


def test_what_a_spacy_model_adds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    spacy = pytest.importorskip("spacy", reason="spaCy is not installed")
    from pipeline.tabular.prompts import features

    pipe = spacy.blank("en")
    pipe.add_pipe("sentencizer")
    ruler = pipe.add_pipe("attribute_ruler")
    for word, tag in (("lamp", "NOUN"), ("shop", "NOUN"), ("write", "VERB")):
        ruler.add([[{"LOWER": word}]], {"POS": tag})
    pipe.add_pipe("entity_ruler").add_patterns([{"label": "GPE", "pattern": "Ankara"}])
    pipe.to_disk(tmp_path / "tagger")
    monkeypatch.setenv("PRONLAB_SPACY_MODEL", str(tmp_path / "tagger"))
    features._tagger.cache_clear()
    try:
        text = "Write lamp shop. Write lamp Ankara."
        found = dict(zip(feature_names(), text_features(text).tolist(), strict=True))
        assert (found["share_noun"], found["share_verb"], found["share_adj"]) == (3 / 8, 0.25, 0.0)
        assert (found["entities"], found["entity_types"]) == (pytest.approx(1 / 6), 1)
        assert found["coherence"] == pytest.approx(2 / 3), "write and lamp of write, lamp, shop"
        assert features.unmeasured().endswith("lacks the component: sentence roots.")
    finally:
        features._tagger.cache_clear()


@pytest.mark.parametrize(("sentences", "value"), [([], 1.0), ([{"a"}], 1.0), ([{"a", "b"}, {"b"}, set(), {"c"}], 0.25)])
def test_coherence_is_what_neighbouring_sentences_share(sentences: list[set[str]], value: float) -> None:
    from pipeline.tabular.prompts.features import coherence

    assert coherence(sentences) == value


def test_an_analysis_says_what_to_improve_first() -> None:
    from pipeline.tabular.prompts.analysis import analyse

    good = analyse(
        "Write a table of three lamps for beginners. Use at most 80 words, because the page is small.\n"
        "- name each lamp\n- for example: “LumiRide, 20 hours”"
    )
    assert (good.clarity, good.specificity, good.improvements) == (100.0, 100.0, ())
    vague = analyse("something nice about lamps")
    assert vague.clarity < 40
    assert vague.specificity == 0.0
    assert [improvement.points for improvement in vague.improvements] == sorted(
        (improvement.points for improvement in vague.improvements), reverse=True
    )
    assert "verb" in vague.improvements[0].text
    assert (analyse("").clarity, analyse("").specificity) == (0.0, 0.0)


def test_the_rule_says_what_is_missing() -> None:
    good = level0(
        "Write a table of three lamps for beginners. Use at most 80 words, because the page is small.\n"
        "- name each lamp\n- for example: “LumiRide, 20 hours”"
    )
    assert not good.missing
    assert good.score > 95
    poor = level0("something nice")
    assert "an instruction" in poor.missing
    assert poor.score < 25


def test_prompts_are_collected_rated_and_removed(settings: Settings, tmp_path: Path) -> None:
    store = Store(settings)
    one = store.add("Explain fractions.", "Ada", notes="first try")
    assert store.all()[0].score is None
    store.rate(one.id, 62.0, "Rita", "short")
    assert (store.all()[0].score, store.all()[0].rater, store.all()[0].notes) == (62.0, "Rita", "short")
    store.remove(one.id)
    assert store.all() == []
    assert len((settings.data_root / "prompts.jsonl").read_text().splitlines()) == 3, "nothing is overwritten"
    for call in (lambda: store.add("", "Ada"), lambda: store.add("x", ""), lambda: store.add("x", "Ada", 101.0)):
        with pytest.raises(PromptError):
            call()
    assert store.add_file(SHIPPED) == 360
    assert store.add_file(SHIPPED) == 0
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"id": "1", "text": "x", "author": "a"}\n{"id": "2"}\n')
    with pytest.raises(TrainingError, match="line 2"):
        store.add_file(bad)


def test_prompts_come_in_from_a_spreadsheet(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "prompts.csv"
    file.write_bytes('Metin;Yazar;Puan\r\n"Özetle; kısa yaz";Işıl;72,5\r\nÇevir;Can;\r\n'.encode("cp1254"))
    store = Store(settings)
    assert store.add_file(file) == 2
    assert [(p.text, p.author, p.score) for p in store.all()] == [
        ("Özetle; kısa yaz", "Işıl", 72.5),
        ("Çevir", "Can", None),
    ]
    assert store.add_file(file) == 0, "the same rows again"
    file.write_text("text,author,score\nx,y,much\n", encoding="utf-8")
    with pytest.raises(TrainingError, match="line 2, score: “much” is not a number"):
        store.add_file(file)


def test_a_text_encoder_is_tuned_and_used(settings: Settings) -> None:
    config = PromptModelConfig(source=str(SHIPPED), name="tiny", epochs=6, learning_rate=3e-3, max_tokens=48)
    parts = divided(settings, config)
    authors = [{one.group for one in part} for part in (parts.train, parts.validation, parts.test)]
    assert not (authors[0] & authors[1] | authors[0] & authors[2] | authors[1] & authors[2])
    run = RunDirectory.create(settings.runs_root, kind="prompts", name="tiny", config=config)
    with run.start() as writer:
        report = train_encoder(settings, config, writer)
    assert report["metrics"]["mae"] < report["baselines"]["training mean"]["mae"]
    score = load_encoder(run.path / "model")
    lines = (run.path / "predictions.csv").read_text(encoding="utf-8").splitlines()[1:]
    reported = [float(line.rsplit(",", 1)[1]) for line in lines]
    assert score([row.content for row in parts.test]) == pytest.approx(reported, abs=0.01), "loaded as it was measured"
    assert len(set(reported)) > 1
    again = PromptModelConfig(source=str(SHIPPED), model=str(run.path / "model"), name="again", epochs=1, max_tokens=48)
    second = RunDirectory.create(settings.runs_root, kind="prompts", name="again", config=again)
    with second.start() as writer:
        train_encoder(settings, again, writer)
    with pytest.raises(ModelError, match="no encoder"):
        wrong = PromptModelConfig(source=str(SHIPPED), model="/nowhere")
        with RunDirectory.create(settings.runs_root, kind="prompts", name="w", config=wrong).start() as writer:
            train_encoder(settings, wrong, writer)
    make_live(settings, run.path / "model", run=run.id)
    scored = score_prompt(settings, "Explain fractions. Use at most 80 words. Use bullets.")
    assert (scored.result.model_id, scored.result.scoring_method) == (run.id, "ml_model")
    assert scored.result.confidence is not None
    assert len((run.path / "predictions.csv").read_text().splitlines()) == 1 + report["metrics"]["n"]
    assert len(report["errors"]["worst"]) == 10
    make_live(settings, trained(settings)[0].path / "model")
    assert roll_back(settings, PROMPTS) == run.id, "trees and encoders follow each other"
    (run.path / "model" / INFO).unlink()
    with pytest.raises(ModelError, match="that can be read"):
        load_encoder(run.path / "model")


def test_by_the_command_line(settings: Settings) -> None:
    env = {"PRONLAB_DATA_ROOT": str(settings.data_root), "PRONLAB_MODELS_ROOT": str(settings.models_root)}

    def run(*command: str) -> Any:
        result = CliRunner().invoke(main, [*command, "--json"], env=env)
        assert result.exit_code == 0, result.output
        return json.loads(result.output[result.output.index("{") :])

    assert run("table", "collect", str(SHIPPED))["added"] == 360
    assert run("table", "clean", "prompts")["n_kept"] == 356
    report = run("train", "table", "--trees", "40", "--folds", "2")
    assert run("table", "deploy", report["run"])["task"] == "prompts"
    scored = run("table", "prompt", "Explain fractions to beginners.")
    assert scored["model_id"] == report["run"]
    assert scored["improvements"][0]["aspect"] in ("clarity", "specificity")
    for text in ("", "  \n", "x" * 8001):
        refused = CliRunner().invoke(main, ["table", "prompt", text], env=env)
        assert refused.exit_code == 1
        assert "A prompt has 1 to 8000 characters, got " in refused.output
    run("table", "feedback", scored["prediction"], "--score", "55")
    assert PredictionLog(settings).newest(report["run"])[0].people == 55
    assert run("table", "rollback", "prompts")["model"] is None


# The page


def test_the_page_collects_trains_and_scores(open_page: Callable[..., Any], settings: Settings) -> None:
    page = open_page("tables")
    assert not page.exception
    said = "\n".join(str(element.value) for kind in (page.markdown, page.caption) for element in kind)
    assert "no prompts yet" in said
    page.text_area(key="prompt-text").set_value("Explain fractions. Use at most 90 words.")
    page.text_input(key="prompt-author").set_value("Ada")
    page.number_input(key="prompt-score").set_value(70.0)
    button(page, "Save").click().run()
    assert not page.exception
    (kept,) = Store(settings).all()
    assert (kept.author, kept.score) == ("Ada", 70.0)
    Store(settings).add_file(SHIPPED)
    run, _ = trained(settings)
    make_live(settings, run.path / "model")
    clean_page = open_page("tables", table="Clean")
    assert not clean_page.exception
    assert clean_page.metric[0].value == "361"
    result = open_page("tables", table="Results")
    assert not result.exception
    assert any("rules" in str(cell) for cell in result.dataframe[0].value.iloc[:, 0])
    use = open_page("tables", table="Use")
    use.text_area(key="use-text").set_value("Explain fractions to beginners. Use a table.").run()
    button(use, "Score the prompt").click().run()
    assert not use.exception
    assert {metric.label for metric in use.metric} == {"Score (0-100)", "Clarity", "Specificity"}
    shown = "\n".join(str(element.value) for element in use.markdown)
    assert "Set limits" in shown
    use.number_input[0].set_value(64.0).run()
    button(use, "Save my score").click().run()
    assert not use.exception
    assert PredictionLog(settings).newest(run.id)[0].people == 64
