"""Every corpus layout is recognised and read, with its values; small synthetic folders of each."""

import codecs
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from pipeline import jsonl
from pipeline.corpus.readers.catalogue import LAYOUTS, ORDER, opened, recognised
from pipeline.corpus.readers.items import Clip, CorpusItem, Scan, scanned
from pipeline.corpus.transcriptions import word_hearings
from pipeline.errors import CorpusError
from pipeline.phones import DELETED

Make = Callable[[Path], Path]
TONE = (0.3 * np.sin(2 * np.pi * 200 * np.arange(4000) / 16000)).astype(np.float32)


def sound(path: Path, **form: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, TONE, 16000, **form)
    return path


def text(path: Path, content: str, encoding: str = "utf-8") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode(encoding))
    return path


def read(path: Path) -> tuple[str, Scan]:
    layout, place = recognised(path)
    return layout, scanned(opened(layout, place).entries)


def by_key(scan: Scan) -> dict[str, CorpusItem]:
    return {item.key: item for item in scan.items}


def test_every_layout_is_tried() -> None:
    assert sorted(ORDER) == list(LAYOUTS)


WORDS = [
    {"text": "A", "accuracy": 10, "stress": 10, "total": 10, "phones": ["AH0"], "phones-accuracy": [2.0],
     "mispronunciations": []},
    {"text": "BEAR", "accuracy": 6, "stress": 10, "total": 6, "phones": ["B", "EH0", "R"],
     "phones-accuracy": [2.0, 0.4, 1.0],
     "mispronunciations": [{"canonical-phone": "EH", "index": 1, "pronounced-phone": "IY"}]},
]  # fmt: skip
SCORE = {"text": "A BEAR", "accuracy": 8, "completeness": 10.0, "fluency": 9, "prosodic": 9, "total": 8, "words": WORDS}
DETAIL = {
    "text": "A BEAR", "accuracy": [7.0, 9.0, 8.0, 8.0, 9.0], "completeness": [1.0] * 5, "fluency": [9.0] * 5,
    "prosodic": [9.0] * 5, "total": [7.6, 9.0, 7.9, 7.9, 9.1],
    "words": [
        {"text": "A", "accuracy": [10] * 5, "stress": [10] * 5, "total": [10] * 5, "phones": ["AH0"] * 5},
        {"text": "BEAR", "accuracy": [3, 7, 10, 2, 6], "stress": [10] * 5, "total": [4.4, 7.6, 10, 3.6, 6.8],
         "phones": ["B (IY) R", "B {EH0} R", "B EH0 R", "B (IY) R", "B (IY) R"]},
    ],
}  # fmt: skip


def published(
    folder: Path, *, detailed: bool = True, resource: str = "resource", waves: str = "WAVE/{0}/{1}.WAV"
) -> Path:
    for part, utterance, speaker in (("train", "000010011", "0001"), ("test", "000030012", "0003")):
        sound(folder / "WAVE" / f"SPEAKER{speaker}" / f"{utterance}.WAV", format="WAV")
        text(folder / part / "wav.scp", f"{utterance}\t{waves.format(f'SPEAKER{speaker}', utterance)}\n")
        text(folder / part / "utt2spk", f"{utterance}\t{speaker}\n")
        text(folder / part / "spk2age", f"{speaker}\t6\n")
        text(folder / part / "spk2gender", f"{speaker}\tm\n")
        text(folder / part / "text", f"{utterance}\tA BEAR\n")
    text(folder / resource / "scores.json", json.dumps({"000030012": SCORE, "000010011": SCORE}))
    if detailed:
        text(folder / resource / "scores-detail.json", json.dumps({"000010011": DETAIL, "000030012": DETAIL}))
    lines = "".join(f"{u}.0\tAH0_S\n{u}.1\tB_B EH0_I R_E\n" for u in ("000010011", "000030012"))
    text(folder / resource / "text-phone", lines)
    return folder


@pytest.mark.parametrize("flat", [False, True])
def test_speechocean762_as_published(tmp_path: Path, flat: bool) -> None:
    folder = published(
        tmp_path / "so", resource="." if flat else "resource", waves="{1}.WAV" if flat else "WAVE/{0}/{1}.WAV"
    )
    layout, scan = read(tmp_path if flat else folder)  # also where an archive has unpacked it
    assert (layout, scan.problems) == ("speechocean762", ())
    items = {item.part: item for item in scan.items}
    test = items["test"]
    assert test.audio == "WAVE/SPEAKER0003/000030012.WAV"
    assert (test.speaker, test.extra["age"], test.extra["gender"], test.language) == ("0003", 6, "m", "en")
    assert test.released == {"accuracy": 8.0, "completeness": 10.0, "fluency": 9.0, "prosodic": 9.0, "total": 8.0}
    assert test.experts["total"] == [7.6, 9.0, 7.9, 7.9, 9.1]
    assert test.median["total"] == 7.9
    bear = test.extra["words"][1]
    assert (bear["accuracy"], bear["phones_accuracy"]) == ([3, 7, 10, 2, 6], [2.0, 0.4, 1.0])
    assert bear["transcribed"][0] == "B (IY) R"
    assert bear["mispronunciations"] == [{"canonical_phone": "EH", "index": 1, "pronounced_phone": "IY"}]
    assert word_hearings(bear)[2].phones == ("B", "IY", "R")
    assert len(test.events("2026-01-01T00:00:00.000+00:00")) == 5


def test_speechocean762_without_the_experts_details_has_the_published_mispronunciations(tmp_path: Path) -> None:
    _, scan = read(published(tmp_path / "so", detailed=False))
    item = scan.items[0]
    assert item.experts == {}
    assert [event.score for event in item.events("2026-01-01T00:00:00.000+00:00")] == [80.0]
    canonical, experts, verdict = word_hearings(item.extra["words"][1])
    assert (canonical, experts, verdict.phones) == (["B", "EH", "R"], [], ("B", "IY", "R"))


def test_speechocean762_of_the_hub(tmp_path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    content = sound(tmp_path / "a.wav").read_bytes()
    for part in ("train", "test"):
        row = {**SCORE, "speaker": "0003", "gender": "m", "age": 6, "audio": {"bytes": content, "path": f"{part}1.wav"}}
        (tmp_path / "hub" / "data").mkdir(parents=True, exist_ok=True)
        file = tmp_path / "hub" / "data" / f"{part}-00000-of-00001.parquet"
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist([row]), file)
    layout, scan = read(tmp_path / "hub")
    assert (layout, scan.problems) == ("hub-dataset", ())
    item = {item.part: item for item in scan.items}["test"]
    assert (item.key, item.audio, item.speaker, item.extra["age"]) == ("test/test1", "test/test1.wav", "0003", 6)
    assert item.clip is not None
    assert item.clip.content == content
    assert item.released["total"] == 8.0
    assert item.extra["words"][1]["phones_accuracy"] == [2.0, 0.4, 1.0]
    assert item.extra["words"][1]["mispronunciations"][0]["pronounced_phone"] == "IY"


def parquet(file: Path, *rows: dict[str, Any]) -> Path:
    import pyarrow
    import pyarrow.parquet

    file.parent.mkdir(parents=True, exist_ok=True)
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(list(rows)), file)
    return file


@pytest.mark.parametrize(
    ("files", "audio", "keys"),
    [
        (["data/train-0-of-2", "data/train-1-of-2"], None, ["train/000001", "train/000002"]),
        (["en/train", "tr/train"], None, ["train/en/000001", "train/tr/000001"]),
        (["en/0", "en/1", "tr/0"], None, ["audio/en/000001", "audio/en/000002", "audio/tr/000001"]),
        (["train/0", "test/0"], "/cache/x/a.wav", ["test/a", "train/a"]),
        (["train-0"], "s1/../b c/a.wav", ["train/s1/b_c/a"]),
    ],
)
def test_recordings_of_several_parquet_files_have_names_of_their_own(
    tmp_path: Path, files: list[str], audio: str | None, keys: list[str]
) -> None:
    content = sound(tmp_path / "a.wav").read_bytes()
    for name in files:
        parquet(tmp_path / "hub" / f"{name}.parquet", {"text": name, "audio": {"bytes": content, "path": audio}})
    _, scan = read(tmp_path / "hub")
    assert [(item.key, item.text) for item in scan.items] == list(zip(keys, sorted(files), strict=True))


def test_a_broken_page_of_parquet_is_told_with_its_file_and_the_others_used(tmp_path: Path) -> None:
    content = sound(tmp_path / "a.wav").read_bytes()
    for name in ("0", "1"):
        file = parquet(tmp_path / "hub" / f"{name}.parquet", {"audio": {"bytes": content, "path": None}, "text": name})
    whole = file.with_name("0.parquet").read_bytes()
    file.with_name("0.parquet").write_bytes(whole[:4] + b"\xff" * 200 + whole[204:])
    _, scan = read(tmp_path / "hub")
    assert [(item.key, item.text) for item in scan.items] == [("audio/000002", "1")]
    assert [(problem.code, problem.path, problem.line) for problem in scan.problems] == [("unreadable", "0.parquet", 1)]
    assert f"{file.with_name('0.parquet')} cannot be read as parquet" in scan.problems[0].message


TEXTGRID = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 0.25
tiers? <exists>
size = {size}
item []:
{tiers}"""


def long_tier(number: int, name: str, labels: list[tuple[float, float, str]]) -> str:
    lines = [f'    item [{number}]:\n        class = "IntervalTier"\n        name = "{name}"\n        xmin = 0',
             f"        xmax = 0.25\n        intervals: size = {len(labels)}"]  # fmt: skip
    for n, (start, end, label) in enumerate(labels, start=1):
        lines += [f"        intervals [{n}]:", f"            xmin = {start}", f"            xmax = {end}"]
        lines.append(f'            text = "{label}"')
    return "\n".join(lines) + "\n"


ARCTIC_TIERS = [
    ("words", [(0.0, 0.01, ""), (0.01, 0.1, "the"), (0.1, 0.24, "bed")]),
    ("phones", [(0.0, 0.01, "sil"), (0.01, 0.03, "DH,D,s"), (0.03, 0.1, "AH0"), (0.1, 0.13, "B"),
                (0.13, 0.2, "EH1,IY*,s"), (0.2, 0.22, "sil,T,a"), (0.22, 0.24, "D,sil,d")]),
]  # fmt: skip


def test_l2_arctic_annotations_become_mispronunciations(tmp_path: Path) -> None:
    speaker = tmp_path / "l2arctic" / "ABA"
    for name in ("arctic_a0001", "arctic_a0002"):
        sound(speaker / "wav" / f"{name}.wav")
        text(speaker / "transcript" / f"{name}.txt", "The bed.\n")
    tiers = "".join(long_tier(n, name, labels) for n, (name, labels) in enumerate(ARCTIC_TIERS, start=1))
    grid = TEXTGRID.format(size=2, tiers=tiers)
    text(speaker / "annotation" / "arctic_a0001.TextGrid", grid)
    plain = "".join(
        long_tier(n, name, [(s, e, t.split(",")[0]) for s, e, t in labels if not t.startswith("sil,")])
        for n, (name, labels) in enumerate(ARCTIC_TIERS, start=1)
    )
    text(speaker / "textgrid" / "arctic_a0002.TextGrid", TEXTGRID.format(size=2, tiers=plain))
    layout, scan = read(tmp_path / "l2arctic")
    assert (layout, scan.problems) == ("l2-arctic", ())
    first, second = scan.items
    assert (first.key, first.text, first.speaker, first.language) == ("ABA/wav/arctic_a0001", "The bed.", "ABA", "en")
    assert (first.extra["first_language"], first.extra["gender"]) == ("Arabic", "m")
    the, bed = first.extra["words"]
    assert (the["phones"], bed["phones"]) == (["DH", "AH0"], ["B", "EH1", "D"])
    assert the["mispronunciations"] == [
        {"index": 0, "canonical_phone": "DH", "pronounced_phone": "D", "type": "substitution"}
    ]
    assert [(m["index"], m["canonical_phone"], m["pronounced_phone"], m["type"]) for m in bed["mispronunciations"]] == [
        (1, "EH", "IY", "substitution"), (2, "", "T", "addition"), (2, "D", DELETED, "deletion"),
    ]  # fmt: skip
    assert word_hearings(bed)[2].sequence() == ["B", "IY", "T"]
    assert {"tier": "phones", "start_s": 0.01, "end_s": 0.03, "text": "DH,D,s"} in first.extra["annotations"]
    assert "mispronunciations" not in second.extra["words"][0]
    assert second.extra["words"][1]["phones"] == ["B", "EH1", "D"]


def test_common_voice_has_its_parts(tmp_path: Path) -> None:
    header = "client_id\tpath\tsentence\tup_votes\tdown_votes\tage\tgender\taccents\tlocale\n"
    for n, part in enumerate(("train", "dev", "test")):
        sound(tmp_path / "clips" / f"c{n}.mp3", format="MP3")
        row = f'speaker{n}\tc{n}.mp3\tO "çay" dedi\u2028ve sustu\t{n}\t0\ttwenties\tfemale\t\ttr\n'
        text(tmp_path / f"{part}.tsv", header + row)
    text(tmp_path / "validated.tsv", header)
    layout, scan = read(tmp_path)
    assert layout == "common-voice"
    assert [problem.code for problem in scan.problems] == ["left_out"]
    assert [(item.part, item.speaker, item.language) for item in scan.items] == [
        ("train", "speaker0", "tr"), ("dev", "speaker1", "tr"), ("test", "speaker2", "tr"),
    ]  # fmt: skip
    assert scan.items[1].text == 'O "çay" dedi\u2028ve sustu'
    assert scan.items[1].extra == {"age": "twenties", "gender": "female", "up_votes": 1, "down_votes": 0}


def test_times_of_a_hub_dataset_cut_its_files_and_never_its_bytes(tmp_path: Path) -> None:
    """Bytes are what was cut out already."""
    file = sound(tmp_path / "long.wav")
    times = {"start": 0.05, "end": 0.1}
    parquet(
        tmp_path / "data" / "train-0-of-1.parquet",
        {"audio": {"bytes": file.read_bytes(), "path": "whole.wav"}, "text": "one two", **times},
        {"audio": {"bytes": None, "path": "long.wav"}, "text": "three four", **times},
    )
    _, scan = read(tmp_path)
    whole, piece = scan.items
    assert (scan.problems, whole.audio, piece.audio) == ((), "train/whole.wav", "train/long_0000050.wav")
    assert whole.clip == Clip(content=file.read_bytes())
    assert piece.clip == Clip(file, start_s=0.05, end_s=0.1)
    assert whole.extra["cut_from"] == piece.extra["cut_from"] == times


@pytest.mark.parametrize("upper", [True, False])
def test_timit_in_either_case(tmp_path: Path, upper: bool) -> None:
    def named(name: str) -> str:
        return name if upper else name.lower()

    folder = tmp_path / named("TRAIN") / named("DR1") / named("FCJF0")
    sound(folder / named("SA1.WAV"), format="NIST", subtype="PCM_16")
    text(folder / named("SA1.TXT"), "0 4000 She had.\n")
    text(folder / named("SA1.WRD"), "160 1600 she\n1600 3200 had\n")
    text(folder / named("SA1.PHN"), "0 160 h#\n160 800 sh\n")
    layout, scan = read(tmp_path)
    assert (layout, scan.problems) == ("timit", ())
    item = scan.items[0]
    assert (item.text, item.speaker, item.part, item.extra["gender"]) == ("She had.", "FCJF0", "train", "f")
    assert item.extra["dialect_region"] == 1
    assert item.extra["words"][1] == {"text": "had.", "phones": [], "start_s": 0.1, "end_s": 0.2}
    assert {"tier": "phones", "start_s": 0.01, "end_s": 0.05, "text": "sh"} in item.extra["annotations"]
    assert item.clip is not None


def test_librispeech(tmp_path: Path) -> None:
    folder = tmp_path / "LibriSpeech" / "train-clean-100" / "103" / "1240"
    sound(folder / "103-1240-0000.flac")
    text(folder / "103-1240.trans.txt", "103-1240-0000 CHAPTER ONE\n103-1240-0001\n")
    text(tmp_path / "LibriSpeech" / "SPEAKERS.TXT", "; ID | SEX\n103  | F | train-clean-100 | 25.0 | Karen\n")
    layout, scan = read(tmp_path / "LibriSpeech")
    item = scan.items[0]
    assert (layout, item.key) == ("librispeech", "train-clean-100/103/1240/103-1240-0000")
    assert (item.text, item.speaker, item.part) == ("CHAPTER ONE", "103", "train-clean-100")
    assert item.extra == {"gender": "f"}
    assert [(problem.line, problem.value) for problem in scan.problems] == [(2, "103-1240-0001")]


def test_ljspeech(tmp_path: Path) -> None:
    sound(tmp_path / "wavs" / "LJ001-0001.wav")
    text(tmp_path / "metadata.csv", 'LJ001-0001|Printing, "in" 1500|Printing, "in" fifteen hundred\n')
    layout, scan = read(tmp_path)
    item = scan.items[0]
    assert (layout, scan.problems, item.audio) == ("ljspeech", (), "wavs/LJ001-0001.wav")
    assert (item.text, item.language) == ('Printing, "in" fifteen hundred', "en")
    assert item.extra == {"original_text": 'Printing, "in" 1500'}


def test_kaldi_refuses_pipes_with_the_reason(tmp_path: Path) -> None:
    sound(tmp_path / "audio" / "u1.wav")
    text(
        tmp_path / "wav.scp", f"u1 {tmp_path}/audio/u1.wav\nu2 sox u1.wav -t wav - |\nu3 raw.ark:17\nu4 audio/u1.wav\n"
    )
    text(tmp_path / "text", "u1 HELLO\u2028THERE\nu2 B\nu3 C\n")
    text(tmp_path / "utt2spk", "u1 0\nu2 s\nu3 s\nu4 s\n")
    text(tmp_path / "spk2gender", "0 f\n")
    layout, scan = read(tmp_path)
    assert layout == "kaldi"
    assert [(item.audio, item.text, item.speaker) for item in scan.items] == [("audio/u1.wav", "HELLO\u2028THERE", "0")]
    assert scan.items[0].extra == {"utterance": "u1", "gender": "f"}
    assert [problem.line for problem in scan.problems] == [2, 3, 4]
    assert "never run" in scan.problems[0].message
    assert "archive" in scan.problems[1].message
    assert "no entry in text" in scan.problems[2].message


def test_kaldi_segments_and_parts(tmp_path: Path) -> None:
    for part in ("train", "test"):
        sound(tmp_path / part / "long.wav")
        text(tmp_path / part / "wav.scp", "long long.wav\n" if part == "test" else "long train/long.wav\n")
        text(tmp_path / part / "segments", "u1 long 0.05 0.1\nu2 long 0.1 -1\nu3 long 0.2 0.1\n")
        text(tmp_path / part / "text", "u1 A\nu2 B\nu3 C\n")
        text(tmp_path / part / "utt2spk", "u1 s1\nu2 s1\nu3 s1\n")
    layout, scan = read(tmp_path)
    assert layout == "kaldi"
    items = by_key(scan)
    clip = items["train/u1"].clip
    assert clip is not None
    assert (clip.start_s, clip.end_s, items["train/u1"].part) == (0.05, 0.1, "train")
    assert {problem.line for problem in scan.problems if problem.path == "train/segments"} == {3}


def test_keys_that_stand_twice_in_a_kaldi_table_are_told(tmp_path: Path) -> None:
    for name in ("a.wav", "b.wav"):
        sound(tmp_path / name)
    text(tmp_path / "wav.scp", "u1 a.wav\nu1 b.wav\n")
    text(tmp_path / "text", "u1 FIRST\nu2 OTHER\nu1 SECOND\n")
    text(tmp_path / "utt2spk", "u1 s\n")
    _layout, scan = read(tmp_path)
    assert [(item.audio, item.text) for item in scan.items] == [("a.wav", "FIRST")]
    assert [(problem.path, problem.line) for problem in scan.problems] == [("wav.scp", 2), ("text", 3)]
    assert "first in line 1" in scan.problems[0].message


NAMES = [
    {"audio_filepath": "a.wav", "text": "let us go", "duration": 0.25, "speaker": 0},
    {"path": "a.wav", "sentence": "let us go", "client_id": "0", "duration": 0.25},
    {"file_name": "a.wav", "transcription": "let us go", "speaker_id": "0 ", "duration": 0.25},
    {"audio": {"path": "a.wav"}, "text": "let us go", "speaker": "0", "duration": 0.25},
]


@pytest.mark.parametrize("row", NAMES)
@pytest.mark.parametrize("form", ["jsonl", "array", "csv"])
def test_manifests_of_nemo_and_hugging_face(tmp_path: Path, row: dict[str, Any], form: str) -> None:
    sound(tmp_path / "a.wav")
    path = tmp_path / {"jsonl": "train_manifest.json", "array": "train.json", "csv": "train.csv"}[form]
    if form == "csv":
        if isinstance(row.get("audio"), dict):
            pytest.skip("a cell is no object")
        path.write_text(";".join(row) + "\n" + ";".join(map(str, row.values())).replace("0.25", "0,25") + "\n")
    else:
        path.write_text(json.dumps(row if form == "jsonl" else [row], indent=None if form == "jsonl" else 1))
    layout, scan = read(tmp_path)
    assert (layout, scan.problems) == ("manifest", ())
    item = scan.items[0]
    assert (item.key, item.text, item.speaker, item.extra) == ("a", "let us go", "0", {"duration": 0.25})


def test_a_folder_of_manifests_has_their_parts(tmp_path: Path) -> None:
    for part in ("train", "test"):
        sound(tmp_path / part / f"{part}.wav")
        text(tmp_path / part / "metadata.csv", f"file_name,transcription\n{part}.wav,good morning\n")
    layout, scan = read(tmp_path)
    assert layout == "manifest"
    assert {(item.part, item.audio) for item in scan.items} == {("test", "test/test.wav"), ("train", "train/train.wav")}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1254"])
def test_tables_of_several_encodings_name_their_bad_rows(tmp_path: Path, encoding: str) -> None:
    sound(tmp_path / "ağaç.wav")
    rows = 'Audio;Text;Score\nağaç.wav;ağaç evi;80,5\nağaç.wav;"not closed;1\nyok.wav;bir;iki;üç\n'
    layout, scan = read(text(tmp_path / "liste.csv", rows, encoding))
    assert (layout, [(item.text, item.score) for item in scan.items]) == ("manifest", [("ağaç evi", 80.5)])
    assert [problem.line for problem in scan.problems] == [3, 4]
    assert "not closed" in scan.problems[0].message
    assert "4 cells" in scan.problems[1].message


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_a_table_with_turkish_headers_is_a_manifest(tmp_path: Path, ending: str) -> None:
    from openpyxl import Workbook

    sound(tmp_path / "ağaç.wav")
    rows = [["Ses dosyası", "Metin", "Konuşmacı", "Dil", "Puan"], ["ağaç.wav", "ağaç evi", "Ayşe", "tr", 80.5]]
    file = tmp_path / f"liste.{ending}"
    if ending == "csv":
        text(file, "\n".join(";".join(map(str, row)) for row in rows) + "\n")
    else:
        book = Workbook()
        for row in rows:
            book.active.append(row)
        book.save(file)
    layout, scan = read(tmp_path)
    assert (layout, scan.problems) == ("manifest", ())
    (item,) = scan.items
    assert (item.text, item.speaker, item.language, item.score) == ("ağaç evi", "Ayşe", "tr", 80.5)


def test_a_manifest_row_of_five_experts_with_a_gap_keeps_the_others(tmp_path: Path) -> None:
    sound(tmp_path / "a.wav")
    experts = {key: [7, 8, 9, 6, 5] for key in ("fluency", "prosodic", "total")}
    row = {"audio": "a.wav", "text": "let us go", "experts": {**experts, "accuracy": [7, 8, None, 6, 5]}}
    _, scan = read(text(tmp_path / "manifest.jsonl", json.dumps(row)))
    item = scan.items[0]
    assert item.median["accuracy"] == 6.5
    events = item.events("2026-01-01T00:00:00.000+00:00")
    assert [event.evaluator for event in events] == ["expert_1", "expert_2", "expert_4", "expert_5"]
    assert [(problem.code, problem.line) for problem in scan.problems] == [("missing_value", 1)]
    assert "accuracy of expert 3" in scan.problems[0].message


def test_full_paths_inside_the_folder_are_taken_and_others_are_not(tmp_path: Path) -> None:
    sound(tmp_path / "m" / "clips" / "a.wav")
    rows = [{"audio": str(tmp_path / "m" / "clips" / "a.wav"), "text": "one two"}, {"audio": "/etc/x.wav", "text": "a"}]
    jsonl.write(tmp_path / "m" / "manifest.jsonl", rows)
    _, scan = read(tmp_path / "m")
    assert [item.audio for item in scan.items] == ["clips/a.wav"]
    assert "--audio-root" in scan.problems[0].message


def test_scores_that_all_lie_below_ten_are_questioned(tmp_path: Path) -> None:
    rows = []
    for n in range(6):
        sound(tmp_path / f"{n}.wav")
        rows.append({"audio": f"{n}.wav", "text": "masa", "score": n + 3.5})
    jsonl.write(tmp_path / "manifest.jsonl", rows)
    _, scan = read(tmp_path)
    assert [problem.code for problem in scan.problems] == ["odd_scale"]


def test_a_json_object_as_manifest_is_explained(tmp_path: Path) -> None:
    path = text(tmp_path / "m.json", json.dumps({"a": {"audio": "a.wav"}}, indent=1))
    with pytest.raises(CorpusError, match="one object per line, or is an array"):
        scanned(opened(*recognised(path)).entries)


def test_a_table_whose_columns_have_other_names_is_told_which_it_has(tmp_path: Path) -> None:
    path = text(tmp_path / "files.csv", 'clip,prompt,who\na.wav,"It is late.",k1\n')
    told = str(scanned(opened("manifest", path).entries).problems[0].message)
    assert told.startswith("Line 2: 'audio' is missing among clip, prompt, who; its column may be named audio, ")


def test_an_empty_cell_is_not_a_missing_column(tmp_path: Path) -> None:
    sound(tmp_path / "a.wav")
    path = text(
        tmp_path / "files.csv", "Dosya adı;Cümle;Kişi\na.wav;;k1\n;Bugün hava güzel.;k1\na.wav;Bugün hava güzel.;k2\n"
    )
    scan = scanned(opened("manifest", path).entries)
    assert [str(problem.message) for problem in scan.problems] == [
        "Line 2: 'text' is empty",
        "Line 3: 'audio' is empty",
    ]
    assert [item.speaker for item in scan.items] == ["k2"]


def test_a_command_that_is_told_can_be_pasted(tmp_path: Path) -> None:
    folder = tmp_path / "my recordings"
    sound(folder / 'the "first".wav')
    with pytest.raises(CorpusError) as caught:
        recognised(folder)
    told = str(caught.value)
    assert told.endswith(f"pronlab import '{folder}'")
    assert json.loads(told[told.index("{") : told.index("}") + 1])["audio"] == 'the "first".wav'


@pytest.mark.parametrize("suffix", [".txt", ".lab", ".TextGrid"])
def test_recordings_with_texts_beside_them(tmp_path: Path, suffix: str) -> None:
    sound(tmp_path / "ayşe" / "bir.wav")
    sound(tmp_path / "ayşe" / "iki.wav")
    content = "Bugün hava güzel.\n"
    if suffix == ".TextGrid":
        content = TEXTGRID.format(size=1, tiers=long_tier(1, "words", [(0, 0.1, "Bugün"), (0.1, 0.25, "güzel.")]))
    text(tmp_path / "ayşe" / f"bir{suffix}", content, "utf-16" if suffix == ".TextGrid" else "cp1254")
    layout, scan = read(tmp_path)
    assert layout == "transcripts"
    expected = "Bugün güzel." if suffix == ".TextGrid" else "Bugün hava güzel."
    assert [(item.text, item.speaker) for item in scan.items] == [(expected, "ayşe")]
    assert [problem.path for problem in scan.problems] == ["ayşe/iki.wav"]


def test_voxforge_prompts_and_speakers(tmp_path: Path) -> None:
    for session in ("ralf-20070911-a1", "ralf-20071015-b2"):
        sound(tmp_path / session / "wav" / "a0001.wav")
        text(tmp_path / session / "etc" / "PROMPTS", f"{session}/mfc/a0001 THE CAT SAT\n")
    layout, scan = read(tmp_path)
    assert layout == "transcripts"
    assert [(item.text, item.speaker) for item in scan.items] == [("THE CAT SAT", "ralf")] * 2


SHORT = (
    'File type = "ooTextFile"\nObject class = "TextGrid"\n\n0\n0.25\n<exists>\n3\n"IntervalTier"\n"words"\n0\n0.25\n2\n'
)
SHORT += '0\n0.1\n"the"\n0.1\n0.25\n"bed"\n"IntervalTier"\n"phones"\n0\n0.25\n2\n0\n0.1\n"AH0"\n0.1\n0.25\n"B"\n'
SHORT += '"TextTier"\n"marks"\n0\n0.25\n1\n0.15\n"said ""bad"""\n'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_textgrids_beside_the_audio_become_annotations(tmp_path: Path, encoding: str, ends: str) -> None:
    sound(tmp_path / "a.wav")
    mark = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}.get(encoding, b"")
    (tmp_path / "a.TextGrid").write_bytes(mark + SHORT.replace("\n", ends).encode(encoding))
    jsonl.write(tmp_path / "manifest.jsonl", [{"audio": "a.wav", "text": "The bed"}])
    _, scan = read(tmp_path)
    item = scan.items[0]
    assert item.extra["annotations"][-1] == {"tier": "marks", "start_s": 0.15, "end_s": 0.15, "text": 'said "bad"'}
    assert [(word["text"], word["start_s"], word["end_s"], word["phones"]) for word in item.extra["words"]] == [
        ("The", 0.0, 0.1, ["AH0"]), ("bed", 0.1, 0.25, ["B"]),
    ]  # fmt: skip


def test_a_textgrid_that_ends_early_is_told_and_its_recording_kept(tmp_path: Path) -> None:
    sound(tmp_path / "a.wav")
    text(tmp_path / "a.TextGrid", SHORT[:-20])
    jsonl.write(tmp_path / "manifest.jsonl", [{"audio": "a.wav", "text": "The bed"}])
    _, scan = read(tmp_path)
    assert len(scan.items) == 1
    assert [problem.code for problem in scan.problems] == ["bad_annotation"]


@pytest.mark.parametrize(
    ("grid", "reason"),
    [
        (SHORT.replace("<exists>\n3", "<exists>\n1e400"), "1e400 is too large"),
        (SHORT.replace('0.25\n"bed"', '1e400\n"bed"'), "1e400 is too large"),
        (None, "a.TextGrid is no file"),
    ],
    ids=["tiers", "end", "pipe"],
)
def test_a_textgrid_that_cannot_be_used_is_told_and_its_recording_kept(
    tmp_path: Path, grid: str | None, reason: str
) -> None:
    sound(tmp_path / "a.wav")
    if grid is None:
        os.mkfifo(tmp_path / "a.TextGrid")
    else:
        text(tmp_path / "a.TextGrid", grid)
    text(tmp_path / "a.txt", "The bed")
    _, scan = read(tmp_path)
    assert [item.extra for item in scan.items] == [{}]
    assert [(problem.code, reason in problem.message) for problem in scan.problems] == [("bad_annotation", True)]


def test_participant_folders_in_capitals(tmp_path: Path) -> None:
    sound(tmp_path / "Participant_1" / "Kelimeler" / "01_masa.wav")
    layout, scan = read(tmp_path)
    assert (layout, scan.items[0].speaker, scan.items[0].text) == ("folder", "Participant_1", "masa")


def test_what_is_no_corpus_is_counted_and_told_how_to_become_one(tmp_path: Path) -> None:
    for n in range(5):
        text(tmp_path / "phone" / f"{n}.m4a", "x")
    text(tmp_path / "list.xlsx", "x")
    text(tmp_path / "all.zip", "x")
    text(tmp_path / "read me.pdf", "x")
    with pytest.raises(CorpusError) as told:
        read(tmp_path)
    message = str(told.value)
    assert "audio files (.m4a), 5: phone/0.m4a, phone/1.m4a, phone/2.m4a ..." in message
    assert "tables or text files (.xlsx), 1: list.xlsx" in message
    assert "archives (.zip), 1: all.zip; other files (.pdf), 1: read me.pdf" in message
    assert "Unpack the archives" in message
    assert f"pronlab import {tmp_path}" in message


def test_a_named_layout_that_is_not_there_says_what_it_looks_like(tmp_path: Path) -> None:
    shutil.copyfile(sound(tmp_path / "x" / "a.wav"), tmp_path / "b.wav")
    from pipeline.corpus.readers.catalogue import located

    with pytest.raises(CorpusError, match=r"TIMIT: TRAIN/DR1"):
        located(tmp_path, "timit")
