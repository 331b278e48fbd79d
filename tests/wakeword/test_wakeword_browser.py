"""The detector of the browser page: its JavaScript on the shipped onnxruntime-web, held against the bundle's runner."""

import shutil
from pathlib import Path

import pytest

from pipeline.wakeword.packaging.bundle import write_bundle
from pipeline.wakeword.packaging.opened_bundle import open_bundle
from tests.wakeword import in_browser
from tests.wakeword.random_detector import save_random_detector, sound

PIECE = 1600


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.parametrize(("kind", "keeps_frames"), (("mel", True), ("dual", True), ("dual", False)))
def test_the_browsers_detector_goes_off_where_the_runner_does(tmp_path: Path, kind: str, keeps_frames: bool) -> None:
    bundle = tmp_path / "b.zip"
    write_bundle(save_random_detector(tmp_path, kind), bundle)
    samples = sound()
    answers = in_browser.listen(bundle, samples, tmp_path, keeps_frames=keeps_frames)
    with open_bundle(bundle) as detector:
        expected = [one for start in range(0, len(samples), PIECE) for one in detector.feed(samples[start:][:PIECE])]
    assert len(expected) > 2
    assert [at_s for at_s, _ in answers["detections"]] == pytest.approx([at_s for at_s, _, _ in expected], abs=1e-3)
    assert [score for _, score in answers["detections"]] == pytest.approx([score for _, score, _ in expected], abs=1e-3)
    assert (answers["keptFrames"] > 0) is keeps_frames
