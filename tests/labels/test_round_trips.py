"""What is exported is read back as it was, value by value: the table of formats in the docs is checked against it."""

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from pipeline.cli.main import main
from pipeline.corpus.sets import read_recordings
from pipeline.importing.importer import import_path
from pipeline.labels.history import lasting_events, slot
from pipeline.labels.store import LabelStore
from pipeline.records import Mark, Purpose, RatingAction, RatingEvent, RatingSource, Segment
from pipeline.settings import Settings
from tests.docs.documents import DOCS, section, table_rows

AT, LATER = "2026-03-04T05:06:07.890+00:00", "2026-03-05T05:06:07.890+00:00"
NOTES = '=çok iyi; "net"\niki satır \\ | ⏎ \u2028 İIıi 😀'
TEXTS = ('Ayşe dedi ki "evet" 😀 ekmek', "She sells 25 loaves", "Tom likes it", "Not his words", "naïve café")
MARKS = (
    Mark(0, None, "accent"), Mark(0, 0, "mispronounced", '"ə|'), Mark(0, 2, "mispronounced", "ı"),
    Mark(1, None, "mispronounced"), Mark(2, 1, "stress"), Mark(3, None, "missing"),
)  # fmt: skip
SEGMENTS = (
    Segment("words", 0.0, 0.123457, "Ayşe", 0, marks={"accent": ""}), Segment("words", 0.2, 0.3, "uh"),
    Segment("words", 0.3, 0.400001, "evet", 1, marks={"mispronounced": ""}), Segment("words", 0.4125, 0.5, "ki", 2),
    Segment("phones", 0.0, 0.05, "a", 0, 0, {"mispronounced": '"ə|'}),
    Segment("phones", 0.05, 0.08, "(no label)", 0, 1),
    Segment("phones", 0.08, 0.123457, "ş (word 1)", 0, 2), Segment("phones", 0.3, 0.35, "", 1, 0),
    Segment("phones", 0.35, 0.38, "ə", 1, None, {"added": "ə", "stress": ""}),
    Segment("phones", 0.5, 0.59, "\\ |x", marks={"tone": "falling"}),
    Segment("comments", 0.25, 0.25, "creaky: “a” \\ |"), Segment("comments", 0.5, 0.5, ""),
    Segment("syllables", 0.0, 0.1, "ay"),
)  # fmt: skip
PATHS = {"csv": "l.csv", "xlsx": "l.xlsx", "label-studio": "l.json", "textgrid": "grids", "dataset": "set"}
Call = Callable[..., str]


def values(*numbers: float) -> dict[str, float]:
    return dict(zip(("accuracy", "fluency", "prosodic", "total"), numbers, strict=True))


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "sözler"
    (folder / "ses").mkdir(parents=True)
    lines = []
    for number, text in enumerate(TEXTS):
        soundfile.write(folder / "ses" / f"{number} ş.wav", 0.4 * np.sin(np.arange(9600) * 0.05 * (number + 1)), 16000)
        lines.append({"audio": f"ses/{number} ş.wav", "text": text, "speaker": "Çağrı", "rubric": "sentence",
                      "language": "tr" if number == 4 else "und"})  # fmt: skip
    (folder / "manifest.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


@pytest.fixture
def labelled(settings: Settings, corpus: Path) -> Settings:
    """Everything that can be said of a recording, in a set of sentences."""
    import_path(settings, corpus / "manifest.jsonl", name="s")
    first, second, third, fourth, _ = read_recordings(settings, "s")
    for recording, *events in (
        (
            first,
            RatingEvent("Ayşe Yılmaz", RatingAction.RATE, AT, dimensions=values(7, 6, 5, 8.1), notes=NOTES, marks=MARKS,
                        took_s=4.25, heard=0.875, project="çalışma", purpose=Purpose.GOLD),
            RatingEvent("Ayşe Yılmaz", RatingAction.RATE, LATER, dimensions=values(6, 6, 5, 8), purpose=Purpose.REPEAT),
            RatingEvent("-Bob", RatingAction.RATE, AT, dimensions=values(3, 4, 5, 3.3), source=RatingSource.CORPUS),
            RatingEvent("Deniz", RatingAction.DECIDE, AT, dimensions=values(5, 5, 5, 6.4), notes="karar"),
        ),
        (
            second,
            RatingEvent("Ayşe Yılmaz", RatingAction.SKIP, AT, reason="Not my dialect"),
            RatingEvent("-Bob", RatingAction.FLAG, AT, reason="noise: loud | very"),
        ),
        (
            third,
            RatingEvent("-Bob", RatingAction.RATE, AT, dimensions=values(9, 9, 9, 9), purpose=Purpose.CALIBRATION),
            RatingEvent("Deniz", RatingAction.REQUEST, AT),
        ),
        (
            fourth,
            RatingEvent("-Bob", RatingAction.RATE, AT, dimensions=values(1, 2, 3, 4)),
            RatingEvent("Deniz", RatingAction.EXCLUDE, AT, reason="wrong text"),
        ),
    ):  # fmt: skip
        for event in events:
            LabelStore(settings).add(recording, event)
    return settings


@pytest.fixture
def segmented(labelled: Settings) -> Settings:
    """The same with the tiers of a rater, which no example of Label Studio has."""
    fifth = read_recordings(labelled, "s")[4]
    for purpose, segments in ((Purpose.WORK, SEGMENTS), (Purpose.REPEAT, SEGMENTS[:1])):
        LabelStore(labelled).add(
            fifth,
            RatingEvent("Ayşe Yılmaz", RatingAction.RATE, AT, dimensions=values(7, 6, 5, 8), marks=MARKS,
                        segments=segments, purpose=purpose),
        )  # fmt: skip
    return labelled


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch) -> Call:
    def run(settings: Settings, *arguments: object) -> str:
        monkeypatch.setenv("PRONLAB_DATA_ROOT", str(settings.data_root))
        monkeypatch.setenv("PRONLAB_MODELS_ROOT", str(settings.models_root))
        done = CliRunner().invoke(main, list(map(str, arguments)))
        assert done.exit_code == 0, done.output
        return done.output

    return run


def elsewhere(corpus: Path, tmp_path: Path) -> Settings:
    """Another installation with the same recordings and no labels."""
    other = Settings(tmp_path / "other" / "data", tmp_path / "other" / "models")
    shutil.copytree(corpus, tmp_path / "other" / "s")
    import_path(other, tmp_path / "other" / "s" / "manifest.jsonl", name="s")
    return other


def lasting(settings: Settings) -> dict[tuple[str, ...], RatingEvent]:
    store = LabelStore(settings)
    return {
        (recording.path, *slot(event)): event
        for recording in read_recordings(settings, "s")
        for event in lasting_events(store.history(recording))
    }


def consensus(settings: Settings, call: Call, tmp_path: Path) -> str:
    call(settings, "export", "--set", "s", "--table", "consensus", "--out", tmp_path / "consensus.csv")
    return (tmp_path / "consensus.csv").read_text(encoding="utf-8-sig")


@pytest.mark.parametrize(
    ("fmt", "more"),
    [("csv", ()), ("csv", ("--separator", "semicolon")), ("csv", ("--separator", "tab")), ("xlsx", ()),
     ("label-studio", ()), ("textgrid", ()), ("dataset", ())],
)  # fmt: skip
def test_every_value_comes_back(
    fmt: str, more: tuple[str, ...], segmented: Settings, corpus: Path, call: Call, tmp_path: Path
) -> None:
    out = tmp_path / PATHS[fmt]
    call(segmented, "export", "--set", "s", "--format", fmt, "--out", out, *more)
    other = elsewhere(corpus, tmp_path)
    call(other, "import-ratings", out, "--set", "s")
    assert lasting(other) == lasting(segmented)
    assert consensus(other, call, tmp_path) == consensus(segmented, call, tmp_path)
    again = json.loads(call(other, "import-ratings", out, "--set", "s", "--json").splitlines()[-1])
    assert again["changed"] == 0, "a second time changes nothing"


def test_a_manifest_brings_the_whole_history(segmented: Settings, corpus: Path, call: Call, tmp_path: Path) -> None:
    LabelStore(segmented).undo(read_recordings(segmented, "s")[3], "-Bob")
    call(segmented, "export", "--set", "s", "--format", "jsonl", "--out", tmp_path / "all.jsonl")
    other = Settings(tmp_path / "other" / "data", tmp_path / "other" / "models")
    for _ in range(2):
        call(other, "import", tmp_path / "all.jsonl", "--name", "s", "--audio-root", corpus)
        here, there = (read_recordings(settings, "s") for settings in (segmented, other))
        assert [LabelStore(other).history(r) for r in there] == [LabelStore(segmented).history(r) for r in here]
    assert consensus(other, call, tmp_path) == consensus(segmented, call, tmp_path)


FORMATS_PAGE = DOCS / "reference" / "formats.md"
EXAMPLES = Path(__file__).parent / "label_studio"


@pytest.mark.parametrize("name", ["export.json", "export-min.json", "export.csv"])
def test_what_label_studio_exports_of_our_tasks(
    name: str, labelled: Settings, corpus: Path, call: Call, tmp_path: Path
) -> None:
    """Files that Label Studio 1.23 wrote after our tasks had been imported there. JSON-MIN and CSV leave out cancelled
    annotations, and do not say to which region a text belongs."""
    other = elsewhere(corpus, tmp_path)
    answer = json.loads(call(other, "import-ratings", EXAMPLES / name, "--set", "s", "--json").splitlines()[-1])
    # Label Studio wrote them before tasks had the share heard.
    wanted = {key: replace(event, heard=None) for key, event in lasting(labelled).items()}
    got = lasting(other)
    if name != "export.json":
        assert "number sound (2)" in " ".join(answer["assumed"])
        assert "textarea heard (2)" in " ".join(answer["assumed"])
        marked, skip = (key for key, event in wanted.items() if event.marks or event.action is RatingAction.SKIP)
        of_words = [(mark.word, mark.kind) for mark in MARKS]
        assert [(mark.word, mark.kind) for mark in got[marked].marks] == of_words
        for key in (marked, skip):
            wanted.pop(key)
            got.pop(key, None)
    assert got == wanted


def test_the_tasks_fit_label_studios_structure(labelled: Settings, corpus: Path, call: Call, tmp_path: Path) -> None:
    """As its import checks them (tasks/serializers.py, 1.23): every result names a control of the configuration, its
    type is that control's, and nobody is named who is no user there."""
    from xml.etree import ElementTree

    call(labelled, "export", "--set", "s", "--format", "label-studio", "--out", tmp_path / "t.json")
    controls = {
        tag.get("name"): (tag.tag.lower(), tag.get("toName"), {child.get("value") for child in tag})
        for tag in ElementTree.parse(tmp_path / "t.xml").iter()
        if tag.get("toName")
    }
    tasks = json.loads((tmp_path / "t.json").read_text())
    assert len(tasks) == 4
    for task in tasks:
        address = task["data"]["audio"]
        assert address.startswith("/data/local-files/?d=s%C3%B6zler/ses/")
        for annotation in task["annotations"]:
            assert "completed_by" not in annotation
            for result in annotation["result"]:
                kind, to_name, choices = controls[result["from_name"]]
                assert (result["type"], result["to_name"]) == (kind, to_name)
                assert kind in result["value"] or (kind == "textarea" and result["value"]["text"])
                assert set(result["value"].get("labels", result["value"].get("choices", ()))) <= choices
    decided = [a for a in tasks[0]["annotations"] if a["ground_truth"]]
    assert len(decided) == 1
    assert [a["was_cancelled"] for a in tasks[1]["annotations"]] == [False, True]


def test_a_document_root_of_label_studio(labelled: Settings, corpus: Path, call: Call, tmp_path: Path) -> None:
    call(labelled, "export", "--set", "s", "--format", "label-studio", "--out", tmp_path / "t.json", "--document-root",
         corpus.parent.parent)  # fmt: skip
    address = json.loads((tmp_path / "t.json").read_text())[0]["data"]["audio"]
    assert address.startswith(f"/data/local-files/?d={corpus.parent.name}/s%C3%B6zler/")


def test_the_table_of_formats_is_true() -> None:
    """`test_every_value_comes_back` compares every field of an event, so that every format claims all of them: but for
    what only a history has."""
    head, *rows = table_rows(section(FORMATS_PAGE, "## Exports and what is read back"))
    assert set(re.findall(r"`([\w-]+)`", " ".join(head))) == {*PATHS, "jsonl"}
    claims = {name: row[1:] for row in rows for name in re.findall(r"`(\w+)`", row[0])}
    events = {name for name, cells in claims.items() if set(cells) == {"both"}}
    assert events == set(RatingEvent.__dataclass_fields__) - {"undoes", "extra"}
    assert set(claims) - events == {"consensus"}
