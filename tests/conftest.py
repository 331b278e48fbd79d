"""Fixtures shared by all tests. Nothing here touches the checkout's own data or models."""

import gc
import itertools
import os
import re
import shutil
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.settings import CHECKOUT, Settings
from tests.prepared import installation, prepare

if TYPE_CHECKING:
    from streamlit.testing.v1 import AppTest

# Workers, and what they start, take a core each: more threads only wait for one another. Read when numpy, PyTorch and
# onnxruntime are imported, which nothing above does.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
# Compiled once, not by every worker, job and server anew, whatever the shell says.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Files whose tests share what is trained, served or imported for them: each group is run by one worker. Groups begin
# before other tests, those that take longest first; tests in a browser (`tests/browser/conftest.py`) before them.
TOGETHER = {
    "test_speech_training.py": "training", "test_speechllm_training.py": "training",
    "test_speechllm_model.py": "training", "test_speechllm_scorer.py": "training",
    "test_wakeword_training.py": "training",
    "test_api.py": "api", "test_tabular.py": "tabular", "test_scoring.py": "released",
    "test_speech_released.py": "released", "test_pages_wakeword.py": "wakeword pages", "test_api_chaos.py": "chaos",
    "test_training.py": "word training", "test_wheel.py": "wheel", "test_model_registry.py": "registry",
    "test_api_limits.py": "api limits", "test_features.py": "features", "test_wakeword_features.py": "features",
    "test_site.py": "site", "test_pages_text.py": "hostile", "test_api_keys.py": "api keys",
    "test_architecture.py": "architecture", "test_damaged_models.py": "damaged models",
}  # fmt: skip
# Files with single tests that take long: begun last, one of them would keep a single worker busy at the end.
LONG_FILES = (
    "test_executors.py", "test_runs.py", "test_notebook.py", "test_pages_every_run.py", "test_deleted_runs.py",
    "test_projects_load.py", "test_cli.py",
)  # fmt: skip


def pytest_configure(config: pytest.Config) -> None:
    config.option.loadscopereorder = False  # xdist would sort groups by their number of tests


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is imported stays: looking through it for garbage, again and again, takes a third as long as importing."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


@pytest.hookimpl(tryfirst=True)  # before xdist looks at the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {name: place for place, name in enumerate((*TOGETHER, *LONG_FILES))}
    last = len(places)
    items.sort(key=lambda item: -1 if item.path.parent.name == "browser" else places.get(item.path.name, last))
    for item in items:
        if item.path.name in TOGETHER:
            item.add_marker(pytest.mark.xdist_group(TOGETHER[item.path.name]))


@pytest.fixture(scope="session", autouse=True)
def one_process() -> Iterator[None]:
    """What is spread over processes stays in this one: starting them takes longer than a test's work."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.parallel.cores", lambda: 1)
        yield


@pytest.fixture(scope="session", autouse=True)
def untraced_exports() -> Iterator[None]:
    """Coverage's tracer makes PyTorch's exporter, millions of calls in Python, take twice as long; it is not ours."""
    onnx = sys.modules.get("torch.onnx")
    if onnx is None:
        yield
        return
    export = onnx.export

    def untraced(*given: Any, **named: Any) -> Any:
        tracer = sys.gettrace()
        sys.settrace(None)
        try:
            return export(*given, **named)
        finally:
            sys.settrace(tracer)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(onnx, "export", untraced)
        yield


@pytest.fixture(scope="session", autouse=True)
def unflushed() -> Iterator[None]:
    """Writing through to the disk protects from a power cut, which no test makes; under load it takes long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.artifacts._fsync", lambda path: None)
        yield


@pytest.fixture(scope="session")
def quick_harness() -> Iterator[None]:
    """Streamlit's test harness does for each page or run what need be done once: it reads the metadata of every
    installed package, in search of components, and compiles the scripts; and it asks a thousand times a second whether
    the script has ended."""
    from streamlit.components.v2 import manifest_scanner
    from streamlit.runtime.scriptrunner.script_cache import ScriptCache
    from streamlit.testing.v1 import local_script_runner

    manifests, scripts = manifest_scanner.scan_component_manifests(), ScriptCache()
    ask = local_script_runner.require_widgets_deltas

    def wait(runner: Any, timeout: float) -> None:
        runner._script_thread.join(timeout)
        ask(runner, 1.0)  # raises where it has not ended

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", lambda: manifests)
        patch.setattr(local_script_runner, "ScriptCache", lambda: scripts)
        patch.setattr(local_script_runner, "require_widgets_deltas", wait)
        yield


@pytest.fixture(autouse=True)
def main_module() -> Iterator[None]:
    """Streamlit's harness leaves its script as `__main__`, which a process that is started later would run again."""
    before = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = before


@pytest.fixture(autouse=True)
def known_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Orders and turns that are drawn with a project's secret are the same in every run of a test."""
    drawn = itertools.count()
    monkeypatch.setattr("pipeline.projects.secret.token_hex", lambda n: f"{next(drawn):0{2 * n}x}")


@pytest.fixture
def two_processes(one_process: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """For the tests of being spread over processes."""
    monkeypatch.setattr("pipeline.parallel.cores", lambda: 2)


_places = itertools.count()


@pytest.fixture
def tmp_path(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pytest's own looks through the folders of all tests before for a free number: milliseconds, of thousands."""
    name = re.sub(r"\W", "_", request.node.name)[:30]
    return tmp_path_factory.mktemp(f"{name}-{next(_places)}", numbered=False)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A fresh, empty installation."""
    return installation(tmp_path)


@pytest.fixture
def demo(settings: Settings, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """This installation with the demo in it, as `pronlab demo` installs it."""

    def demo(made: Settings, _: Path) -> None:
        from pipeline.importing.demo import install_demo

        install_demo(made)

    prepare(demo, tmp_path, tmp_path_factory.getbasetemp())
    return settings


@pytest.fixture
def open_page(settings: Settings, monkeypatch: pytest.MonkeyPatch, quick_harness: None) -> "Callable[..., AppTest]":
    """Opens a page of the dashboard on this installation: `open_page("data", section="Problems")`, then runs it."""
    monkeypatch.setenv("PRONLAB_DATA_ROOT", str(settings.data_root))
    monkeypatch.setenv("PRONLAB_MODELS_ROOT", str(settings.models_root))

    def open_(view: str, **query: str) -> "AppTest":
        from streamlit.testing.v1 import AppTest

        page = AppTest.from_file(CHECKOUT / "dashboard" / "app.py", default_timeout=240)
        page.switch_page(f"views/{view}.py")
        for name, value in query.items():
            page.query_params[name] = value
        return page.run()

    return open_


@pytest.fixture
def tiny_set(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The set `tiny`: 4 participants read 6 words (as tones of a rising pitch), 2 people have rated all of them."""
    prepare(make_tiny_set, tmp_path, tmp_path_factory.getbasetemp())
    return "tiny"


def make_tiny_set(settings: Settings, root: Path) -> None:
    import numpy as np
    import soundfile

    from pipeline.corpus.sets import read_recordings
    from pipeline.importing.importer import import_path
    from pipeline.labels.store import LabelStore
    from pipeline.records import RatingAction, RatingEvent

    seconds = np.arange(9600) / 16000
    for speaker in range(4):
        folder = root / "tiny" / f"participant_{speaker + 1:03}" / "kelimeler"
        folder.mkdir(parents=True)
        for number, word in enumerate(("araba", "çiçek", "ev", "güneş", "kitap", "su")):
            pitch_hz = 110 * (1 + speaker / 3) * (1 + 0.4 * seconds * (number + 1))
            tone = 0.4 * np.sin(2 * np.pi * np.cumsum(pitch_hz) / 16000) * np.hanning(len(seconds))
            soundfile.write(folder / f"{number + 1:02}_{word}.wav", tone, 16000)
    import_path(settings, root / "tiny", name="tiny")
    store = LabelStore(settings)
    for number, recording in enumerate(read_recordings(settings, "tiny")):
        for evaluator, lenience in (("ayşe", 0), ("can", 4)):
            score = 50.0 + number * 2 + lenience * (-1) ** number
            event = RatingEvent(evaluator, RatingAction.RATE, f"2026-01-01T00:{number:02}:00.000+00:00", score=score)
            store.add(recording, event)


def make_few(settings: Settings, root: Path) -> None:
    """The set `few`: 6 words of the demo by 4 of its speakers, with one rating each: real enough to be scored, and soon
    scored."""
    from pipeline.corpus.sets import read_recordings
    from pipeline.importing.importer import import_path
    from pipeline.labels.store import LabelStore
    from pipeline.records import RatingAction, RatingEvent

    for speaker in ("participant_01", "participant_02", "participant_03", "participant_04"):
        folder = root / "few" / speaker / "kelimeler"
        folder.mkdir(parents=True)
        for word in sorted((CHECKOUT / "data" / "demo" / speaker / "kelimeler").glob("*.wav"))[:6]:
            shutil.copy(word, folder)
    import_path(settings, root / "few", name="few")
    store = LabelStore(settings)
    for number, recording in enumerate(read_recordings(settings, "few")):
        at = f"2026-01-01T00:{number:02}:00.000+00:00"
        store.add(recording, RatingEvent("Ayşe", RatingAction.RATE, at, score=40.0 + 2 * number))


@pytest.fixture(scope="session")
def speech_manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve demo recordings of four voices in the form of speechocean762, with made-up phones and scores: enough to
    walk the whole way of training with, and nothing to learn from."""
    import json
    import shutil

    folder = tmp_path_factory.mktemp("tinyocean")
    lines = []
    texts = {
        "THE CAT": [["DH", "AH0"], ["K", "AE1", "T"]],
        "SEE": [["S", "IY1"]],
        "GO ON": [["G", "OW1"], ["AA1", "N"]],
    }
    for speaker in range(4):
        recordings = sorted((CHECKOUT / "data" / "demo" / f"participant_{speaker + 1:02}").rglob("*.wav"))
        for number, (text, phones) in enumerate(texts.items()):
            audio = f"{speaker}{number}.wav"
            shutil.copyfile(recordings[number], folder / audio)
            value = 4.0 + speaker + number / 2
            words = [
                {
                    "text": word,
                    "phones": said,
                    "phones_accuracy": [2.0 - 0.4 * ((speaker + n) % 5) for n in range(len(said))],
                    "accuracy": [value, value, value + 1, value, value],
                    "stress": [10] * 5,
                    "total": [value] * 5,
                    "transcribed": [" ".join(p.rstrip("012") for p in said)] * 4 + [f"({said[0].rstrip('012')})"],
                }
                for word, said in zip(text.split(), phones, strict=True)
            ]
            scores = {"accuracy": value, "fluency": value - 1, "prosodic": value, "total": value}
            row = {
                "id": f"{speaker}{number}", "audio": audio, "part": "train", "speaker": f"s{speaker}", "text": text,
                "age": 8 + 10 * speaker, "gender": "fm"[speaker % 2], "median": {**scores, "completeness": 1.0},
                "experts": {key: [v, v + 0.5, v, v - 0.5, v] for key, v in scores.items()}, "words": words,
            }  # fmt: skip
            lines.append(json.dumps(row))
    (folder / "manifest.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / "manifest.jsonl"


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Whisper encoder of random weights in a local folder."""
    import torch
    from transformers import WhisperConfig
    from transformers.models.whisper.modeling_whisper import WhisperEncoder

    torch.manual_seed(0)
    config = WhisperConfig(d_model=16, encoder_layers=2, encoder_attention_heads=2, encoder_ffn_dim=32, num_mel_bins=80)
    folder = tmp_path_factory.mktemp("encoder")
    WhisperEncoder(config).save_pretrained(folder)
    return folder


@contextmanager
def small_vocabulary() -> Iterator[None]:
    """A speech model is packaged with few words, and few ways to weigh them are tried: seconds instead of a minute."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.scoring.speech.packaging.vocabulary_building.N_WORDS", 1000)
        patch.setattr(
            "pipeline.scoring.speech.packaging.package.DECODING_GRID", {"per_word": (-1.0, 0.0), "prior_weight": (0.6,)}
        )
        yield


EXPORTED = "exported"


@contextmanager
def exports_kept(folder: Path) -> Iterator[None]:
    """A copy of the graphs as they are exported, before they are quantised."""
    from pipeline.scoring.speech.packaging import export

    real = export.export_onnx

    def kept(model: Any, target: Path) -> None:
        real(model, target)
        folder.mkdir()
        for graph in target.glob("*.onnx"):
            shutil.copy(graph, folder)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(export, "export_onnx", kept)
        yield


@pytest.fixture(scope="session")
def speech_run(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, worker_id: str, speech_manifest: Path
) -> Path:
    """The run directory of a finished training on `speech_manifest`, with its `model/`; to be read, not changed: the
    first worker that needs it trains for all."""
    from filelock import FileLock

    from pipeline.runs import RunDirectory, list_runs
    from pipeline.scoring.speech.run import train_speech
    from pipeline.scoring.speech.training.config import SpeechTrainConfig

    base = tmp_path_factory.getbasetemp()
    root = (base if worker_id == "master" else base.parent) / "speech-run"
    config = SpeechTrainConfig(
        manifest=str(speech_manifest), epochs=2, score_after_epochs=0, folds=4, hidden=16, layers=1, batch_s=4.0
    )
    with FileLock(f"{root}.lock"):
        for known in list_runs(Settings(root / "data", root / "models").runs_root):
            if known.state.status == "finished":
                return known.path
        tiny_encoder = request.getfixturevalue("tiny_encoder")  # its imports take seconds
        installation = Settings(root / "data", root / "models", encoder_path=tiny_encoder)
        run = RunDirectory.create(installation.runs_root, kind="speech", name="tiny", config=config)
        with small_vocabulary(), exports_kept(run.path / EXPORTED):
            train_speech(installation, config, run)
    return run.path
