"""What detectors for devices miss, beside their float models: docs/results/wake-words.md, "On devices".

    python -m tests.bench.wakeword_devices FOLDER SHARED esp32 esp32-taught small snowboy computer
    python -m tests.bench.wakeword_devices FOLDER SHARED table

Trains presets on the data of `wakeword_study` (250 recordings of seed 0), and measures on its 3 h. The preset esp32 by
PyTorch and by the interpreter for microcontrollers, others by PyTorch and by ONNX of 8 bits; with `-taught` they learn
from the preset default, trained on the same recordings, too. Not part of `make bench`.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from tests.bench.wakeword_study import HOURS, KEYWORDS, Case, heard_of, prepare, train

RESULTS = "devices.jsonl"
TARGETS = (0.1, 0.5, 1.0)
TAUGHT = "-taught"  # the end of names of trainings that learn from the preset default, too
# What is not a preset as it is: the preset and what is set otherwise.
VARIANTS: dict[str, tuple[str, tuple[str, ...]]] = {"esp32-wide": ("esp32", ("model.width=2.0",))}


def one(folder: Path, preset: str, keyword: str) -> dict[str, Any]:
    """Train, where that is not done yet, and measure both forms."""
    import torch

    torch.set_num_threads(1)
    teacher = train(folder, Case("default", keyword)).home.name if preset.endswith(TAUGHT) else ""
    run, found = _trained(folder, preset, keyword, teacher)
    report = json.loads((run.path / "report.json").read_text(encoding="utf-8"))
    measure = _on_microcontroller if found.info.features.kind == "micro" else _of_8_bits
    return {
        "preset": preset, "keyword": keyword, "training_s": report["training_s"], **measure(folder, keyword, found)
    }  # fmt: skip


def _trained(folder: Path, name: str, keyword: str, teacher: str) -> tuple[Any, Any]:
    """A finished run on the keyword, beside its teacher, if it has one, and what it left."""
    from pipeline.presets import build, merged, overrides
    from pipeline.runs import RunDirectory, list_runs
    from pipeline.settings import Settings
    from pipeline.wakeword.config import WakewordConfig, load_preset
    from pipeline.wakeword.finished_run import open_finished_run
    from pipeline.wakeword.run import train_wakeword

    beside = Case("default", keyword).id if teacher else f"{name}-{keyword}"
    settings = Settings(folder / "data", folder / "models" / beside)
    data = {
        "positive": [str(folder / "kw" / keyword / "0" / "train")], "negative": [str(folder / "speech_train")],
        "noise": [str(folder / "noise_train")], "rir": [str(folder / "rir")],
    }  # fmt: skip
    title = f"{name}-{keyword}"
    done = [run for run in list_runs(settings.runs_root) if run.state.name == title and run.state.status == "finished"]
    if not done:
        preset, own = VARIANTS.get(name.removesuffix(TAUGHT), (name.removesuffix(TAUGHT), ()))
        given = {"name": title, "seed": 0, "data": data, "distil.teacher": teacher}
        config = build(WakewordConfig, merged(load_preset(preset), given, overrides(own)))
        run = RunDirectory.create(settings.runs_root, kind="wakeword", name=title, config=config, seed=0)
        train_wakeword(settings, config, run)
        done = [run]
    return done[0], open_finished_run(settings, str(done[0].path))


def _of_8_bits(folder: Path, keyword: str, found: Any) -> dict[str, Any]:
    case = Case("devices", keyword)
    forms = {name: heard_of(folder, case, found, runtime) for name, runtime in (("float", "torch"), ("8 bits", "int8"))}
    return {"n": forms["float"]["n"], "misses": {name: form["misses"] for name, form in forms.items()}}


def _on_microcontroller(folder: Path, keyword: str, found: Any) -> dict[str, Any]:
    from pipeline.wakeword.data.noise import read_noise
    from pipeline.wakeword.evaluation.evaluate import files_of
    from pipeline.wakeword.evaluation.stream_metrics import frames_of_stream, measure
    from pipeline.wakeword.evaluation.stream_synthesis import plan_stream
    from pipeline.wakeword.packaging.esp32 import (
        arena_bytes,
        convert,
        reference,
        step_detector,
        steps_of,
        stream_of_steps,
    )
    from pipeline.wakeword.packaging.export import read_windows
    from pipeline.wakeword.runtime.model_files import load_model

    model, info = load_model(found.folder)
    streaming: Any = model
    content, macs = convert(streaming, info, read_windows(found.folder))
    plan = plan_stream(
        files_of((folder / "kw" / keyword / "0" / "test",)), files_of((folder / "speech_test",)),
        read_noise((str(folder / "noise_test"),)), HOURS,
    )  # fmt: skip
    sound = frames_of_stream(plan, info.features)
    expected = reference(streaming, info, sound.frames)
    answers = np.array(list(steps_of(content, sound.frames)), dtype=np.float32)[-len(expected) :]
    misses = {}
    for name, scores in (("float", expected), ("8 bits", answers)):
        stream = measure(stream_of_steps(sound, scores, info), step_detector(info), TARGETS, plan.speech_hours)
        misses[name] = {target: point.misses for target, point in stream.at_fah.items()}
    return {
        "n": len(sound.keywords), "misses": misses, "n_steps": len(answers), "macs_per_step": macs,
        "same_side": float(((answers >= 0.5) == (expected >= 0.5)).mean()), "model_kb": len(content) / 1024,
        "arena_kb": arena_bytes(content) / 1024,
    }  # fmt: skip


def table(folder: Path) -> None:
    for line in (folder / RESULTS).open(encoding="utf-8"):
        row = json.loads(line)
        for form, misses in row["misses"].items():
            shares = " | ".join(f"{100 * misses[str(target)] / row['n']:.1f}" for target in TARGETS)
            print(f"| `{row['preset']}`, {form} | {row['keyword']} | {row['n']} | {shares} |")


if __name__ == "__main__":
    folder, shared = Path(sys.argv[1]), Path(sys.argv[2])
    if sys.argv[3:] == ["table"]:
        table(folder)
    else:
        prepare(folder, shared)
        words = [word for word in sys.argv[3:] if word in KEYWORDS]
        for preset in (word for word in sys.argv[3:] if word not in KEYWORDS):
            for word in words:
                row = one(folder, preset, word)
                print(json.dumps(row), flush=True)
                with (folder / RESULTS).open("a", encoding="utf-8") as file:
                    file.write(json.dumps(row) + "\n")
