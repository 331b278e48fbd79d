"""The same recordings by the microphone, as a file and by the command line: what each is scored.

    python -m tests.bench.ways_study /path/to/speechocean762

Ten recordings of the `dev` part, each of another speaker, are said into the fake microphone of a real browser, uploaded
there, and scored by `pronlab score`; then as a file that begins 30 ms later, which is about where a microphone begins.
Prints a row for each.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from pipeline.audio.encode import to_wav
from pipeline.audio.load import Audio, load_audio
from pipeline.practice.attempts import read_attempts
from pipeline.practice.consent import Keep, give_consent
from pipeline.settings import Settings
from tests.browser.conftest import CHROMIUM, FLAGS, serving

N = 10
LEARNER = "Bench"
LATER_S = 0.03


def main(corpus: Path) -> None:
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        settings = Settings(data_root=Path(folder) / "data", models_root=Path(folder) / "models")
        give_consent(settings, LEARNER, Keep.SCORES)
        spoken = Path(folder) / "spoken.wav"
        capture = f"--use-file-for-fake-audio-capture={spoken}%noloop"
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, capture])
        print("recording | seconds | command line | file | microphone | file from 30 ms on", flush=True)
        with serving(settings) as address:
            page = browser.new_context(permissions=["microphone"]).new_page()
            page.set_default_timeout(240_000)
            for row in chosen(corpus):
                file, text = corpus / row["audio"], row["text"]
                audio = load_audio(file)
                spoken.write_bytes(to_wav(audio.samples, audio.sample_rate_hz))
                by_command = command_line(settings, file, text)
                by_file = through_page(settings, page, address, text, lambda file=file: upload(page, file))
                by_microphone = through_page(settings, page, address, text, lambda: record(page))
                print(
                    f"{row['id']} | {audio.duration_s:.1f} | {by_command} | {by_file} | {by_microphone} | "
                    f"{command_line(settings, later(audio, Path(folder) / 'later.wav'), text)}", flush=True,
                )  # fmt: skip
        browser.close()


def chosen(corpus: Path) -> list[dict[str, Any]]:
    """Evenly over the part, 2 to 6 s long, one a speaker."""
    with (corpus / "manifest.jsonl").open(encoding="utf-8") as lines:
        rows = [row for row in map(json.loads, lines) if row["part"] == "dev"]
    by_speaker: dict[str, dict[str, Any]] = {}
    for row in rows:
        if row["speaker"] not in by_speaker and 2.0 <= load_audio(corpus / row["audio"]).duration_s <= 6.0:
            by_speaker[row["speaker"]] = row
    speakers = list(by_speaker.values())
    return speakers[:: len(speakers) // N][:N]


def command_line(settings: Settings, file: Path, text: str) -> float | None:
    command = [sys.executable, "-m", "pipeline.cli", "score", str(file), "--text", text, "--json"]
    roots = {"PRONLAB_DATA_ROOT": str(settings.data_root), "PRONLAB_MODELS_ROOT": str(settings.models_root)}
    done = subprocess.run(command, env=os.environ | roots, capture_output=True, check=True)
    overall: float | None = json.loads(done.stdout)["overall"]
    return overall


def through_page(settings: Settings, page: Any, address: str, text: str, give: Any) -> float | None:
    """The overall score that was saved; None where there was none."""
    before = len(read_attempts(settings, LEARNER).attempts)
    query = urlencode({"lesson": "free-en", "text": text, "learner": LEARNER})
    page.goto(f"{address}/practice?{query}")
    page.get_by_role("button", name="Record", exact=True).wait_for()
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").first.wait_for()
    give()
    page.get_by_text("Your score").wait_for()
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").first.wait_for()
    attempts = read_attempts(settings, LEARNER).attempts
    return attempts[-1].overall if len(attempts) > before else None


def upload(page: Any, file: Path) -> None:
    page.get_by_text("File", exact=True).first.click()
    chooser = page.locator("[data-testid=stFileUploaderDropzoneInput]")
    chooser.wait_for(state="attached")
    chooser.set_input_files(str(file))


def record(page: Any) -> None:
    page.get_by_role("button", name="Record", exact=True).click()


def later(audio: Audio, file: Path) -> Path:
    file.write_bytes(to_wav(audio.samples[round(LATER_S * audio.sample_rate_hz) :], audio.sample_rate_hz))
    return file


if __name__ == "__main__":
    main(Path(sys.argv[1]))
