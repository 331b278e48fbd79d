"""The detector of the browser page: its JavaScript on the shipped onnxruntime-web, held against the bundle's runner."""

import json
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from dashboard.components.browser_detector import FOLDER
from pipeline.settings import CHECKOUT
from pipeline.wakeword.packaging.bundle import write_bundle
from pipeline.wakeword.packaging.opened_bundle import open_bundle
from tests.wakeword.random_detector import save_random_detector, sound

RUNTIME = CHECKOUT / "dashboard" / "static" / "onnxruntime-web"
PIECE = 1600
LISTEN = """
import fs from "fs";
import zlib from "zlib";
import * as ort from "./ort.mjs";

const [runtime, script] = process.argv.slice(2);
ort.env.wasm.wasmBinary = zlib.gunzipSync(fs.readFileSync(runtime + "/ort-wasm-simd-threaded.wasm.gz")).buffer;
ort.env.wasm.numThreads = 1;
const Detector = new Function(fs.readFileSync(script, "utf8") + "; return Detector;")();
const session = await ort.InferenceSession.create(fs.readFileSync("model.onnx"), { executionProviders: ["wasm"] });
const detector = new Detector(ort, session, JSON.parse(fs.readFileSync("detector.json")));
const bytes = fs.readFileSync("sound.f32");
const samples = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
const detections = [];
for (let at = 0; at < samples.length; at += PIECE)
  for (const { atS, score, detected } of await detector.feed(samples.slice(at, at + PIECE)))
    if (detected) detections.push([atS, score]);
console.log(JSON.stringify(detections));
""".replace("PIECE", str(PIECE))


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_the_browsers_detector_goes_off_where_the_runner_does(tmp_path: Path) -> None:
    write_bundle(save_random_detector(tmp_path), tmp_path / "b.zip")
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        archive.extractall(tmp_path)
    samples = sound()
    samples.tofile(tmp_path / "sound.f32")
    shutil.copyfile(RUNTIME / "ort.wasm.bundle.min.mjs", tmp_path / "ort.mjs")
    (tmp_path / "listen.mjs").write_text(LISTEN)
    command = ["node", "listen.mjs", str(RUNTIME), str(FOLDER / "detector.js")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    with open_bundle(tmp_path / "b.zip") as detector:
        expected = [one for start in range(0, len(samples), PIECE) for one in detector.feed(samples[start:][:PIECE])]
    answers = json.loads(done.stdout)
    assert len(expected) > 2
    assert [at_s for at_s, _ in answers] == pytest.approx([at_s for at_s, _, _ in expected], abs=1e-3)
    assert [score for _, score in answers] == pytest.approx([score for _, score, _ in expected], abs=1e-3)
