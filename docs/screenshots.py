"""Take the pictures of the documentation anew: `make screenshots`, or with the names of some pages.

Starts a demo installation of its own in a temporary folder (synthetic recordings, made-up ratings, small trainings) and
writes `docs/images/<page>-<language>.png` for every page and language.
"""

import csv
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from pipeline.corpus.sets import get_set, read_recordings
from pipeline.deployment.prediction_log import PredictionLog
from pipeline.i18n import _ as translated
from pipeline.i18n import languages, speaking
from pipeline.labels.store import LabelStore
from pipeline.people.access import SYSTEM
from pipeline.practice.consent import Keep, give_consent
from pipeline.projects.project import Project, save_project
from pipeline.records import RubricName, Target
from pipeline.runs import list_runs
from pipeline.scoring.base import score_file
from pipeline.scoring.selection import load_scorer
from pipeline.settings import CHECKOUT, Settings

IMAGES = Path(__file__).parent / "images"
SIZE = {"width": 1366, "height": 768}
COLOURS = 256
RATERS = {"Ayşe": -4.0, "Mehmet": 3.0, "Rita": 0.0}
LEARNER, SENTENCE, SPOKEN = "Deniz", "She sells fresh bread.", "She sells flesh bread."
WAKE_WORD = "merhaba"
FOLDER = "/srv/pronlab"  # where the pictures say that the installation is, wherever it was made
# Tables are drawn on a canvas.
DRAW_NEUTRALLY = """
for (const name of ["fillText", "measureText"]) {
  const draw = CanvasRenderingContext2D.prototype[name];
  CanvasRenderingContext2D.prototype[name] = function (text, ...rest) {
    return draw.call(this, String(text).replaceAll(%s, %s), ...rest);
  };
}
"""
VOICES = [f"{kind}{n}" for n in range(1, 6) for kind in "mf"]  # of eSpeak NG
# What each page shows, beside the set and the person; {run} and {detector} are filled in.
PAGES: dict[str, dict[str, str]] = {
    "home": {},
    "label": {"set": "demo", "rater": "Ada"},
    "recordings": {"project": "words", "rater": "Rita"},
    "review": {"project": "words"},
    "projects": {"project": "words"},
    "agreement": {"set": "demo"},
    "practice": {"lesson": "free-en", "text": SENTENCE, "learner": LEARNER},
    "results": {},
    "compare": {"set": "demo"},
    "train": {"run": "{run}"},
    "runs": {},
    "monitor": {},
    "wakeword": {"run": "{detector}", "step": "4 Evaluation"},
    "tables": {},
    "data": {},
}


@click.command()
@click.argument("names", nargs=-1, metavar="[PAGE]...")
@click.option("--installation", type=click.Path(path_type=Path), help="Make it here, or use the one that is here.")
def main(names: tuple[str, ...], installation: Path | None) -> None:
    """Take the pictures of every PAGE, or of all."""
    unknown = set(names) - set(PAGES)
    if unknown:
        raise click.BadParameter(f"unknown page {', '.join(sorted(unknown))}; there are {', '.join(PAGES)}.")
    with tempfile.TemporaryDirectory() as temporary:
        folder = installation or Path(temporary)
        settings = Settings(data_root=folder / "data", models_root=folder / "models")
        if not settings.data_root.exists():
            prepare(settings, folder)
        with serving(settings) as address:
            shoot(address, list(names or PAGES), runs_of(settings), spoken(folder), folder)


def prepare(settings: Settings, folder: Path) -> None:
    """An installation in which every page has something to show."""
    run(settings, "demo")
    rate(settings, folder / "ratings.csv")
    save_project(settings, Project("words", "demo", title="Words", overlap=3, max_spread=15.0), SYSTEM)
    run(settings, "score-set", "demo", "--scorer", "heuristic", "--scorer", "acoustic57", "--scorer", "reference")
    run(settings, "train", "word", "--set", "demo", "--preset", "word_forest", "--name", "forest", "--trees", "50")
    run(settings, "train", "word", "--set", "demo", "--preset", "word_mlp", "--name", "network", "--epochs", "20")
    run(settings, "table", "collect", str(CHECKOUT / "data" / "synthetic-prompts" / "prompts.jsonl"))
    train_detector(settings, folder / "clips")
    log_predictions(settings)
    give_consent(settings, LEARNER, Keep.RECORDINGS)


def run(settings: Settings, *arguments: str) -> None:
    click.echo(f"pronlab {' '.join(arguments[:4])} ...")
    command = [sys.executable, "-m", "pipeline.cli", *arguments]
    done = subprocess.run(command, env=environment(settings), cwd=CHECKOUT, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"pronlab {' '.join(arguments)}:\n{done.stderr or done.stdout}")


def environment(settings: Settings) -> dict[str, str]:
    roots = {"PRONLAB_DATA_ROOT": str(settings.data_root), "PRONLAB_MODELS_ROOT": str(settings.models_root)}
    return {**os.environ, **roots, "PYTHONPATH": str(CHECKOUT)}


def rate(settings: Settings, file: Path) -> None:
    """Ratings by people who do not exist, around the demo's own scores."""
    draw, store = random.Random(17), LabelStore(settings)  # noqa: S311
    with file.open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["recording_id", "evaluator", "score"])
        for recording in read_recordings(settings, "demo")[:88]:
            known = next(iter(store.current(recording).values())).score or 0.0
            for rater, severity in RATERS.items():
                rows.writerow([recording.id, rater, round(min(100.0, max(0.0, draw.gauss(known + severity, 7.0))))])
    run(settings, "import-ratings", str(file), "--set", "demo")


def train_detector(settings: Settings, clips: Path) -> None:
    """A detector of a synthetic word, far too small to be relied on."""
    if shutil.which("espeak-ng") is None:
        return
    for voices, speeds, name in ((VOICES[:8], (130, 150, 170), "word"), (VOICES[8:], (140, 160), "heard")):
        (clips / name).mkdir(parents=True)
        for voice in voices:
            for speed in speeds:
                speak(WAKE_WORD, f"tr+{voice}", speed, clips / name / f"{voice}-{speed}.wav")
    for participant in sorted((CHECKOUT / "data" / "demo").glob("participant_*")):
        folder = clips / ("background" if participant.name >= "participant_06" else "other")
        folder.mkdir(exist_ok=True)
        for file in (participant / "kelimeler").glob("*.wav"):
            shutil.copy(file, folder / f"{participant.name}-{file.stem[:2]}.wav")
    run(settings, "wakeword", "train", "--positive", str(clips / "word"), "--negative", str(clips / "other"),
        "--preset", "tiny", "--name", WAKE_WORD)  # fmt: skip
    run(settings, "wakeword", "evaluate", runs_of(settings)["detector"], "--positive", str(clips / "heard"),
        "--background", str(clips / "background"), "--hours", "0.2")  # fmt: skip


def log_predictions(settings: Settings) -> None:
    """A month of scores, for the Monitor page."""
    log, scorer = PredictionLog(settings), load_scorer(settings, None, RubricName.WORD)
    recordings = read_recordings(settings, "demo")
    root = get_set(settings, "demo").root
    for n, recording in enumerate(recordings):
        result = score_file(scorer, root / recording.path, Target(recording.text, "tr"))
        prediction = log.add(result, at=time.time() - 86_400 * 29 * (1 - n / len(recordings)))
        if n % 6 == 0:
            log.feedback(prediction, agrees=n % 18 != 0)


def runs_of(settings: Settings) -> dict[str, str]:
    ids = [run.id for run in list_runs(settings.runs_root)]
    named = {"run": "forest", "detector": WAKE_WORD}
    return {key: next((id_ for id_ in ids if id_.startswith(f"{name}-")), "") for key, name in named.items()}


def spoken(folder: Path) -> Path | None:
    """The sentence that the learner says, by eSpeak NG; None where it is not installed."""
    if shutil.which("espeak-ng") is None:
        return None
    file = folder / "spoken.wav"
    speak(SPOKEN, "en-us", 150, file)
    return file


def speak(text: str, voice: str, words_per_minute: int, file: Path) -> None:
    subprocess.run(["espeak-ng", "-v", voice, "-s", str(words_per_minute), "-w", str(file), text], check=True)


@contextmanager
def serving(settings: Settings) -> Iterator[str]:
    """The dashboard of an installation on a free port; yields its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "pipeline.cli", "dashboard", "--port", str(port), "--no-demo"]
    process = subprocess.Popen(command, env=environment(settings), cwd=CHECKOUT, stdout=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(120):
            try:
                with urllib.request.urlopen(f"{address}/_stcore/health", timeout=1):  # noqa: S310
                    break
            except OSError:
                time.sleep(0.5)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=20)


def shoot(address: str, names: list[str], runs: dict[str, str], speech: Path | None, folder: Path) -> None:
    from playwright.sync_api import sync_playwright

    chromium = next(filter(None, map(shutil.which, ("chromium-headless-shell", "chromium", "chromium-browser"))), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--mute-audio"])
        for language in languages():
            with speaking(language):
                context = browser.new_context(viewport=SIZE, locale=language, color_scheme="light")
                context.add_init_script(DRAW_NEUTRALLY % (json.dumps(str(folder.resolve())), json.dumps(FOLDER)))
                for name in names:
                    page = context.new_page()
                    page.set_default_timeout(90_000)
                    query = {key: value.format(**runs) for key, value in PAGES[name].items()}
                    path = "" if name == "home" else name
                    page.goto(f"{address}/{path}?{urllib.parse.urlencode(query)}")
                    settle(page)
                    if name == "practice" and speech is not None:
                        upload(page, speech)
                    write(page, IMAGES / f"{name}-{language}.png")
                    page.close()
                context.close()
        browser.close()


def settle(page: Any) -> None:
    """Until the script has run, and what it shows is drawn."""
    page.locator("[data-testid=stApp][data-test-script-state=notRunning] h1").first.wait_for()
    page.wait_for_timeout(2500)
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").first.wait_for()
    page.wait_for_function("!document.querySelector('[data-testid=stSkeleton]')")
    page.wait_for_timeout(500)


def upload(page: Any, speech: Path) -> None:
    """Give the recorder of the Practice page a file, and wait for the score."""
    page.get_by_text(translated("File"), exact=True).first.click()
    chooser = page.locator("[data-testid=stFileUploaderDropzoneInput]")
    chooser.wait_for(state="attached")
    settle(page)
    chooser.set_input_files(str(speech))
    page.locator("[data-testid=stMetricValue]").first.wait_for()
    settle(page)


def write(page: Any, file: Path) -> None:
    """As PNG with a palette: a quarter of the size, and no difference to be seen."""
    from PIL import Image

    page.screenshot(path=str(file))
    with Image.open(file) as image:
        image.convert("RGB").quantize(COLOURS).save(file, optimize=True)
    click.echo(f"{file.relative_to(CHECKOUT)}: {file.stat().st_size // 1024} kB")


if __name__ == "__main__":
    main()
