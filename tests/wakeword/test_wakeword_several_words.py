"""Several words in one detector: an output, a threshold and a name for each, from the folders to the bundle."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from click.testing import CliRunner

from pipeline import artifacts
from pipeline.cli.main import main
from pipeline.errors import ModelError, TrainingError
from pipeline.presets import build
from pipeline.settings import Settings
from pipeline.wakeword.config import LossConfig, WakewordConfig
from pipeline.wakeword.data.clips import Label
from pipeline.wakeword.data.feature_cache import Pool
from pipeline.wakeword.evaluation.evaluate import EvaluationTask
from pipeline.wakeword.features import FeatureConfig
from pipeline.wakeword.finished_run import (
    FinishedRun,
    classifier_for,
    evaluate_run,
    open_finished_run,
    robustness_of,
    scores_of_folder,
    set_thresholds,
)
from pipeline.wakeword.packaging.opened_bundle import open_bundle
from pipeline.wakeword.runtime.model_files import load_model, save_info
from pipeline.wakeword.training.losses import WakewordLoss
from pipeline.wakeword.training.validate import mean_of, validate_words
from pipeline.wakeword.wyoming_server import info_of
from tests.wakeword_sounds import RATE_HZ, write_clips

NAMES = ("rise", "fall")
TWO = {"positive": ["a", "b"], "words": ["x", "y"]}


class Words:
    """Rising chirps, the same backwards, and hums; a detector of both words from the command line."""

    def __init__(self, root: Path) -> None:
        self.rise, self.other, self.noise = write_clips(root / "clips", 20, 16)
        self.fall = root / "fall"
        self.fall.mkdir()
        for file in self.rise.iterdir():
            soundfile.write(self.fall / file.name, soundfile.read(file)[0][::-1], RATE_HZ)
        self.settings = Settings(root / "data", root / "models")
        given = [
            "wakeword", "train", "--positive", f"rise={self.rise}", "--positive", f"fall={self.fall}", "--negative",
            str(self.other), "--preset", "tiny", "--override", "augment.snr_low_db=10", "--json",
        ]  # fmt: skip
        done = CliRunner().invoke(main, given, env=self.env)
        assert done.exit_code == 0, done.output
        self.report = json.loads(done.stdout)
        self.run: FinishedRun = open_finished_run(self.settings, self.report["run"])

    @property
    def env(self) -> dict[str, str]:
        return {
            "PRONLAB_DATA_ROOT": str(self.settings.data_root), "PRONLAB_MODELS_ROOT": str(self.settings.models_root)
        }  # fmt: skip


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Words]:
    torch.set_num_threads(1)
    yield Words(tmp_path_factory.mktemp("several"))


def test_the_loss_teaches_each_output_its_word() -> None:
    loss = WakewordLoss(LossConfig(label_smoothing=0.0), 4)
    word = torch.tensor([0, 1, -1])
    right = torch.where(word[:, None] == torch.arange(2), 5.0, -5.0)
    masks = word >= 0, torch.zeros(3, dtype=torch.bool)
    value = loss(right, torch.zeros(3, 4), *masks, word)
    assert float(value) == pytest.approx(np.log1p(np.exp(-5.0)), rel=1e-4)
    assert float(loss(-right, torch.zeros(3, 4), *masks, word)) == pytest.approx(5.0067, abs=1e-3)


def test_other_words_are_negatives_of_each_word() -> None:
    config = build(WakewordConfig, {"detector": {"votes": 1, "of": 1}})
    size, n_bins = FeatureConfig().shape

    def pool(values: list[float], held: tuple[int, ...] = ()) -> Pool:
        frames = np.repeat(np.array(values, dtype=np.float16), size)[:, None] * np.ones((1, n_bins), dtype=np.float16)
        return Pool(frames, (size,) * len(values), size, words=held)

    pools = {Label.POSITIVE: pool([1.0, 2.0, 3.0], (0, 0, 1)), Label.NEGATIVE: pool([0.0])}
    scores = {0.0: (-5, -5), 1.0: (4, -4), 2.0: (3, 1), 3.0: (-2, 6)}

    def classifier(windows: np.ndarray) -> np.ndarray:
        return np.array([scores[float(window[0, 0])] for window in windows], dtype=np.float32)

    first, second = validate_words(pools, classifier, config.features, config.detector)
    assert (first.words.tolist(), sorted(first.rest.tolist())) == ([4.0, 3.0], [-5.0, -2.0])
    assert (second.words.tolist(), sorted(second.rest.tolist())) == ([6.0], [-5.0, -4.0, 1.0])
    assert mean_of((first, second)).counts.false_positives == 1, "the second word's output for a clip of the first"
    assert mean_of((first,)) is first


def test_a_detector_has_an_output_and_a_threshold_per_word(words: Words) -> None:
    model, info = load_model(words.run.folder)
    assert info.names == NAMES
    assert model(torch.zeros(3, *info.features.shape)).shape == (3, 2)
    assert set(words.report["words"]) == set(NAMES)
    rise, fall = (info.of_word(name) for name in NAMES)
    assert (rise.name, rise.threshold) == ("rise", info.words[0].threshold)
    assert rise.threshold != fall.threshold
    with pytest.raises(ModelError, match="knows several words: name one of rise, fall"):
        info.of_word("")
    card = (words.run.folder / "README.md").read_text()
    assert "| rise |" in card and "| fall |" in card


def test_each_word_is_evaluated_with_its_own_output(words: Words) -> None:
    for name, folder in (("rise", words.rise), ("fall", words.fall)):
        evaluate_run(words.run, EvaluationTask((folder,), (words.other,), hours=0.05), word=name)
    kept = words.run.report("evaluation.json")["words"]
    assert set(kept) == set(NAMES)
    assert all(report["stream"]["n_keywords"] == 20 for report in kept.values())
    both = [classifier_for(words.run, word=name) for name in NAMES]
    windows = np.random.default_rng(0).standard_normal((4, *words.run.info.features.shape)).astype(np.float32)
    joined = load_model(words.run.folder)[0](torch.from_numpy(windows)).detach().numpy()
    assert np.allclose(np.stack([classifier(windows) for classifier in both], axis=1), joined, atol=1e-5)


def test_what_is_measured_of_one_word_is_kept_as_that_words(words: Words) -> None:
    robustness_of(words.run, (words.rise,), (words.other,), (), (), word="rise")
    detected = {}
    for name, folder in (("rise", words.rise), ("fall", words.fall)):
        detected[name] = scores_of_folder(words.run, folder, word=name).detected
    assert {name: words.run.report_of("folder.json", name)["detected"] for name in NAMES} == detected
    assert Path(words.run.report_of("folder.json", "rise")["folder"]) == words.rise
    assert words.run.report_of("robustness.json", "rise")[0]["n_words"] == 20
    assert words.run.report_of("robustness.json", "fall") is None
    artifacts.write_json(words.run.home / "robustness.json", [])  # of an earlier release, which did not say the word
    assert words.run.report_of("robustness.json", "rise") is None


def test_other_votes_are_kept_for_all_words_or_for_none(words: Words) -> None:
    before = words.run.info
    given = ["wakeword", "evaluate", words.run.home.name, "--positive", f"rise={words.rise}", "--hours", "0.05"]
    given += ["--background", str(words.other), "--keep-threshold"]
    for other in (["--preset", "aggressive"], ["--target-fah", "3"]):
        done = CliRunner().invoke(main, [*given, *other], env=words.env)
        assert done.exit_code == 1 and "the threshold of fall was set as it is now" in done.output
    assert words.run.info == before
    done = CliRunner().invoke(
        main, [*given, "--preset", "aggressive", "--positive", f"fall={words.fall}"], env=words.env
    )
    assert done.exit_code == 0, done.output
    after = words.run.info
    assert (after.detector.votes, after.detector.target_fah) == (1, 2.0)
    bases = [word.metrics["threshold"] for word in after.words]
    assert [basis["source"] for basis in bases] == ["stream", "stream"]
    assert set(words.run.report_of("evaluation.json", "fall")["stream"]["at_fah"]) == {"0.1", "0.5", "1.0", "2.0"}
    save_info(words.run.folder, before)


def test_a_clip_is_of_one_word(words: Words) -> None:
    given = ["wakeword", "train", "--negative", str(words.other), "--preset", "tiny"]
    named = ["--positive", f"rise={words.rise}", "--positive", f"fall={words.rise}"]
    done = CliRunner().invoke(main, [*given, *named], env=words.env)
    assert "is given as a clip of 'fall' and of 'rise': a clip is of one word" in done.output


def test_a_detector_of_several_words_teaches_none_of_one(words: Words) -> None:
    given = ["wakeword", "train", "--positive", str(words.rise), "--negative", str(words.other), "--preset", "tiny"]
    done = CliRunner().invoke(main, [*given, "--teacher", words.run.home.name], env=words.env)
    assert "knows several words (rise, fall): name one of one word" in done.output


def test_a_bundle_carries_the_words(words: Words, tmp_path: Path) -> None:
    set_thresholds(words.run)
    assert {word.metrics["threshold"]["source"] for word in words.run.info.words} == {"stream"}
    command = ["wakeword", "export", words.run.home.name, "--bundle", str(tmp_path / "b.zip"), "--json"]
    done = CliRunner().invoke(main, command, env=words.env)
    assert {word: basis["source"] for word, basis in json.loads(done.stdout)["rests_on"].items()} == {
        "rise": "stream", "fall": "stream",
    }  # fmt: skip
    card = (words.run.folder / "README.md").read_text()
    assert card.count(" of a stream with ") == 2 and "validation negatives" not in card
    assert "goes off at the threshold of the word" in card
    rise = soundfile.read(sorted(words.rise.iterdir())[0], dtype="float32")[0]
    sound = np.pad(np.concatenate([np.zeros(2 * RATE_HZ, np.float32), rise]), (0, RATE_HZ))
    with open_bundle(tmp_path / "b.zip") as detector:
        assert [word.name for word in detector.words] == list(NAMES)
        kept = [word.threshold for word in words.run.info.words]
        assert [word.threshold for word in detector.words] == pytest.approx(kept)
        for word in detector.words:  # whatever sixty steps taught it
            word.threshold = -100.0
        assert {word for _at_s, _score, word in detector.feed(sound)} == set(NAMES)
        again = detector.again()
        again.feed(sound)
        assert detector.words[0].since != float("inf"), "it has a state of its own"
    assert [model.name for model in info_of(NAMES, "en").wake[0].models] == list(NAMES)


def test_the_command_says_which_word(words: Words) -> None:
    file = str(sorted(words.rise.iterdir())[0])
    given = ["wakeword", "detect", words.run.home.name, file, "--threshold", "-100", "--json"]
    done = CliRunner().invoke(main, given, env=words.env)
    assert done.exit_code == 0, done.output
    answer = json.loads(done.stdout)
    assert {row["word"] for row in answer["detections"]} == set(NAMES)
    done = CliRunner().invoke(main, [*given, "--word", "fall"], env=words.env)
    assert {row["word"] for row in json.loads(done.stdout)["detections"]} == {"fall"}
    done = CliRunner().invoke(main, [*given, "--phones", "rise"], env=words.env)
    assert "--phones is of one word: name that of the detector with --word (rise, fall)" in done.output


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"data": {"positive": ["a", "b"], "words": ["x"]}}, "words names each folder"),
        ({"data": {"positive": ["a", "b"], "words": ["x", "x"]}}, "at least two different names"),
        ({"data": {"positive": ["a", "b"], "words": ["x", "X"]}}, "differ in more than capitals, got x, X"),
        ({"data": {"positive": ["a", "b"], "words": ["x", "a\nb"]}}, "at most 60 characters that can be printed"),
        (
            {"data": {"positive": ["a", "b"], "words": ["x", "y"]}, "loss": {"name": "arcface"}},
            "cross_entropy or focal",
        ),
        ({"data": {"positive": ["a", "b"], "words": ["x", "y"]}, "distil": {"teacher": "run"}}, "no teacher"),
    ],
    ids=["one name missing", "one name twice", "capitals", "line end", "loss", "teacher"],
)
def test_says_what_several_words_do_not_take(settings: dict[str, object], why: str) -> None:
    with pytest.raises(TrainingError, match=why):
        build(WakewordConfig, settings)


def test_refuses_folders_of_which_only_some_are_named(tmp_path: Path) -> None:
    folders = ["--positive", f"rise={tmp_path}", "--positive", str(tmp_path), "--negative", str(tmp_path)]
    done = CliRunner().invoke(main, ["wakeword", "train", *folders])
    assert done.exit_code == 1
    assert "Name the word of every --positive" in done.output
