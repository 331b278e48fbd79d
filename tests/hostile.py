"""An installation in which every name, title, text and note tries to be more than text."""

from dataclasses import replace
from pathlib import Path

from pipeline import jsonl
from pipeline.audio.load import load_audio
from pipeline.corpus.sets import read_recordings
from pipeline.importing.importer import import_path
from pipeline.labels.store import LabelStore
from pipeline.people.access import Identity, Role
from pipeline.practice.attempts import save_attempt
from pipeline.practice.consent import Keep, give_consent
from pipeline.practice.lessons import Item, add_lesson, as_yaml
from pipeline.projects.project import Project, save_project
from pipeline.records import RatingAction, RatingEvent, ScoreResult, Target
from pipeline.runs import RunDirectory
from pipeline.runs.notes import Notes, write_notes
from pipeline.scoring.batch import Prediction, predictions_file
from pipeline.settings import CHECKOUT, Settings
from pipeline.tabular.prompts.store import Store

HOST = "http://elsewhere.invalid"
IMAGE = f"![u]({HOST}/x)"
HTML = f"<img src={HOST}/y>"
TEXT = f"{IMAGE} {HTML} :red[r] :material/face: :smile: $x^2$ [l]({HOST}) **b** `c` # {HOST}/z"
ADMIN = Identity("Ada", frozenset(Role))
SPOKEN = CHECKOUT / "data" / "demo" / "references" / "masa.wav"
PAGES = (
    ("label", {}), ("practice", {}), ("practice", {"practise": "progress"}), ("practice", {"practise": "library"}),
    ("agreement", {}), ("recordings", {}), ("review", {}), ("projects", {}), ("compare", {}), ("wakeword", {}),
    ("results", {}), ("train", {}), ("runs", {}), ("monitor", {}), ("tables", {"table": "prompts"}), ("data", {}),
)  # fmt: skip


def query(**more: str) -> dict[str, str]:
    """An address whose every parameter is hostile, but for those that lead somewhere."""
    keys = (
        "set",
        "rater",
        "learner",
        "lesson",
        "text",
        "practise",
        "monitor",
        "table",
        "run",
        "runs",
        "project",
        "recording",
        "job",
    )
    return {**dict.fromkeys((*keys, "wake-word", "step"), IMAGE), **more}


def fill(settings: Settings, folder: Path) -> None:
    """The set `odd`, rated by two, scored by one, with a project, a lesson, tries, prompts and runs."""
    folder.mkdir()
    rows = []
    for number in range(6):
        name = f"![u] $a$ **{number}** :smile:.wav"
        (folder / name).write_bytes(SPOKEN.read_bytes())
        text, speaker = f"{TEXT} {number}", f"{IMAGE} {number % 3}"
        rows.append({"audio": name, "text": text, "speaker": speaker, "rubric": "word", "language": "tr"})
    jsonl.write(folder / "manifest.jsonl", rows)
    import_path(settings, folder / "manifest.jsonl", name="odd", title=TEXT)
    save_project(settings, Project("study", "odd", title=TEXT, instructions=f"Instructions: {IMAGE}", overlap=2), ADMIN)
    store = LabelStore(settings)
    recordings = read_recordings(settings, "odd")
    for place, recording in enumerate(recordings):
        for lenience, rater in enumerate((f"{IMAGE} a", f"{IMAGE} b")):
            at = f"2026-01-01T00:00:{place:02}.000+00:00"
            score = 40.0 + 9 * place + 15 * lenience * (place % 2)
            event = RatingEvent(rater, RatingAction.RATE, at, score, notes=TEXT, project="study")
            store.add(recording, event)
    guesses = [
        Prediction(one.id, "heuristic", TEXT, 50.0 + 5 * place, "heuristic", warnings=(TEXT,))
        for place, one in enumerate(recordings)
    ]
    jsonl.write(predictions_file(settings, "odd", "heuristic"), guesses)
    add_lesson(settings, "odd", as_yaml(IMAGE, "tr", "words", [Item(f"{IMAGE} {n}") for n in range(3)]))
    give_consent(settings, IMAGE, Keep.RECORDINGS)
    result = ScoreResult(50.0, "very_poor", "heuristic", "heuristic", TEXT, Target(TEXT[:60], "tr"), warnings=(TEXT,))
    save_attempt(settings, IMAGE, TEXT[:60], load_audio(SPOKEN), result, lesson="odd")
    prompts = Store(settings)
    for number in range(3):
        prompts.add(f"{TEXT} {number}", IMAGE, 10.0 * number, IMAGE, notes=TEXT)
    for kind, root in (("word", settings.runs_root), ("speechllm", settings.runs_root), ("import", settings.jobs_root)):
        run = RunDirectory.create(root, kind=kind, name=IMAGE, config={"set": IMAGE, "name": IMAGE, "note": TEXT})
        with run.start() as writer:
            writer.log(TEXT)
            writer.update(message=TEXT)
        run.write_state(replace(run.state, status="failed", error=TEXT))
        write_notes(run.path, Notes(TEXT, ("tag",)))
