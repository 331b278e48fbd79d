"""A bundle's detector as the browser page runs it, in node."""

import json
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dashboard.components.browser_detector import FOLDER
from pipeline.settings import CHECKOUT
from pipeline.wakeword.file_names import BUNDLE_MODEL
from pipeline.wakeword.packaging.detector_graph import BEFORE, without_empty

RUNTIME = CHECKOUT / "dashboard" / "static" / "onnxruntime-web"
SCRIPT = Path(__file__).with_name("browser_listen.mjs")


def listen(bundle: Path, samples: NDArray[np.float32], work: Path, *, keeps_frames: bool = True) -> dict[str, Any]:
    """`detections` as (seconds, score), `keptFrames` at the end and `cpuS`, of sound at 16 kHz a tenth of a second at a
    time; without `keeps_frames` as a bundle was before its graph took any."""
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(work)
    if keeps_frames:
        (work / BUNDLE_MODEL).write_bytes(without_empty((work / BUNDLE_MODEL).read_bytes(), BEFORE))
    samples.tofile(work / "sound.f32")
    shutil.copyfile(RUNTIME / "ort.wasm.bundle.min.mjs", work / "ort.mjs")
    shutil.copyfile(SCRIPT, work / SCRIPT.name)
    command = ["node", SCRIPT.name, str(RUNTIME), str(FOLDER / "detector.js")]
    done = subprocess.run(command, cwd=work, capture_output=True, text=True, check=True)
    answers: dict[str, Any] = json.loads(done.stdout)
    return answers
