"""Files from a browser: kept apart, checked one by one, bounded whatever an archive claims, and imported once asked."""

import io
import json
import stat
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline import artifacts, jsonl
from pipeline.corpus.sets import get_set, list_sets, read_recordings, registration
from pipeline.errors import AccessError, CorpusError
from pipeline.importing.importer import import_path, take_away
from pipeline.importing.uploads import importing, review
from pipeline.importing.uploads.checking import check
from pipeline.importing.uploads.file_names import NameRule, likely_rule, read_name
from pipeline.importing.uploads.limits import LIMITS, Limits
from pipeline.importing.uploads.review import Choices, Source
from pipeline.importing.uploads.staging import Staging, begin, open_upload, staged_uploads
from pipeline.people.access import Identity, Role
from pipeline.people.people import People, Person
from pipeline.records import RubricName
from pipeline.runs import RunDirectory
from pipeline.settings import Settings
from pipeline.times import as_text
from tests.zip_entries import with_entries


@cache
def wav(pitch_hz: int = 200, peak: float = 0.4) -> bytes:
    seconds = np.arange(12_000) / 16_000
    content = io.BytesIO()
    tone = peak * np.sin(2 * np.pi * pitch_hz * seconds) * np.hanning(len(seconds))
    soundfile.write(content, tone, 16_000, format="WAV")
    return content.getvalue()


def zipped(files: Iterable[tuple[str | zipfile.ZipInfo, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as archive:
        for name, data in files:
            archive.writestr(name, data)
    return content.getvalue()


def sent(settings: Settings, *files: tuple[str, bytes], limits: Limits = LIMITS) -> Staging:
    staging = Staging(settings, begin(settings, None).upload, limits)
    return again(staging, *files)


def again(staging: Staging, *files: tuple[str, bytes]) -> Staging:
    staging.receive(files)
    check(staging)
    return Staging(staging.settings, staging.upload, staging.limits)  # read from the disk


def kept(staging: Staging) -> list[str]:
    return sorted(entry.path for entry in staging.staged.values() if entry.path)


def reasons(staging: Staging) -> dict[str, str]:
    return {name: problem.message for name, entry in staging.staged.items() for problem in entry.faults}


def on_disk(staging: Staging) -> list[str]:
    return sorted(str(file.relative_to(staging.files)) for file in staging.files.rglob("*") if file.is_file())


# What is kept


def test_good_files_are_kept_at_their_paths(settings: Settings) -> None:
    staging = sent(settings, ("a/araba.wav", wav()), ("words.csv", b"file,text\n"), ("a/araba.txt", b"araba"))
    assert kept(staging) == on_disk(staging) == ["a/araba.txt", "a/araba.wav", "words.csv"]
    assert staging.waiting() == []
    assert not any((staging.folder / "incoming").iterdir())


def test_recordings_that_cannot_be_used_are_refused_with_the_reason(settings: Settings) -> None:
    silence = io.BytesIO()
    soundfile.write(silence, np.zeros(16_000), 16_000, format="WAV")
    long = io.BytesIO()
    soundfile.write(long, np.zeros(121 * 8_000), 8_000, format="WAV")
    staging = sent(
        settings, ("silent.wav", silence.getvalue()), ("long.wav", long.getvalue()), ("text.wav", b"no sound"),
        ("empty.wav", b""), ("loud.wav", wav(peak=1.6)), ("notes.pdf", b"%PDF"), ("texts.ods", b"PK"),
    )  # fmt: skip
    said = reasons(staging)
    assert kept(staging) == on_disk(staging) == ["loud.wav"]
    assert "Nothing can be heard" in said["silent.wav"]
    assert "121 s" in said["long.wav"]
    assert "text.wav cannot be read" in said["text.wav"]
    assert "0 bytes" in said["empty.wav"]
    assert "not used" in said["notes.pdf"]
    assert "CSV" in said["texts.ods"]
    assert [problem.code for problem in staging.staged["loud.wav"].problems] == ["clipped"]


def test_a_message_is_kept_so_that_it_can_be_read_in_another_language(settings: Settings) -> None:
    from pipeline.i18n import Message

    staging = sent(settings, ("notes.pdf", b"%PDF"))
    read_again = open_upload(settings, staging.upload.id, None)
    (problem,) = read_again.staged["notes.pdf"].problems
    assert isinstance(problem.message, Message) and "kinds" in problem.message.values


def test_what_came_before_is_not_kept_twice(settings: Settings) -> None:
    staging = sent(settings, ("a.wav", wav()))
    assert staging.receive([("a.wav", wav()), ("b.wav", wav(250))]) == (1, 1)
    check(staging)
    assert kept(staging) == ["a.wav", "b.wav"]


def test_the_same_file_in_an_archive_is_counted_once(settings: Settings) -> None:
    staging = sent(settings, ("a.wav", wav()), ("more.zip", zipped([("a.wav", wav()), ("b.wav", wav(250))])))
    assert kept(staging) == ["a.wav", "b.wav"]
    assert reasons(staging) == {}


def test_a_corrected_file_replaces_the_one_before(settings: Settings) -> None:
    staging = again(sent(settings, ("a.wav", wav())), ("a.wav", wav(300)))
    assert (staging.files / "a.wav").read_bytes() == wav(300)
    assert [problem.code for problem in staging.staged["a.wav"].problems] == ["replaced"]


def test_two_files_of_one_name_at_once_are_told(settings: Settings) -> None:
    staging = sent(settings, ("01_araba.wav", wav()), ("01_araba.wav", wav(300)))
    assert (staging.files / "01_araba.wav").read_bytes() == wav()
    assert "the folder itself" in reasons(staging)["01_araba.wav (2)"]
    assert kept(staging) == ["01_araba.wav"]


def test_two_files_of_one_name_in_an_archive_are_told(settings: Settings) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("a.wav", wav())
        archive.writestr("a.wav", wav(300))
    staging = sent(settings, ("all.zip", content.getvalue()))
    assert (staging.files / "a.wav").read_bytes() == wav()
    assert "Another file of the same name" in reasons(staging)["all.zip/a.wav (2)"]
    assert staging.staged["all.zip/a.wav"].path == "a.wav"


@pytest.mark.parametrize(
    ("other", "reason"), [("A.wav", "capital letters"), ("a.flac", "but for its ending"), ("a.wav/b.wav", "A folder")]
)
def test_names_that_would_fall_together_are_told(settings: Settings, other: str, reason: str) -> None:
    staging = sent(settings, ("a.wav", wav()), (other, wav(300)))
    assert kept(staging) == ["a.wav"]
    assert reason in reasons(staging)[other]


def test_the_same_recording_under_two_names_is_told_and_kept(settings: Settings) -> None:
    staging = sent(settings, ("a.wav", wav()), ("b.wav", wav()))
    assert kept(staging) == ["a.wav", "b.wav"]
    assert "same recording as a.wav" in staging.staged["b.wav"].problems[0].message


def test_a_check_that_is_cut_off_goes_on_where_it_was(settings: Settings) -> None:
    class Cut(Exception):
        pass

    def stop(done: int, total: int, name: str = "") -> None:
        assert total in (2, 6)
        if done == 3:
            raise Cut

    files = [(f"{pitch}.wav", wav(pitch)) for pitch in (200, 210, 220, 230)]
    staging = Staging(settings, begin(settings, None).upload)
    staging.receive([("first.wav", wav(300)), ("rest.zip", zipped(files))])
    with pytest.raises(Cut):
        check(staging, stop)
    assert len(kept(staging)) == 3
    later = open_upload(settings, staging.upload.id, None)
    stamps = {path: (later.files / path).stat().st_mtime_ns for path in kept(later)}
    assert [one.name for one in later.waiting()] == ["rest.zip"]
    check(later)
    assert len(kept(later)) == 5 and later.waiting() == []
    assert stamps.items() <= {path: (later.files / path).stat().st_mtime_ns for path in kept(later)}.items()


def test_files_that_were_received_are_there_after_a_crash(settings: Settings) -> None:
    staging = Staging(settings, begin(settings, None).upload)
    (staging.folder / "incoming" / "000001").mkdir(parents=True)  # of a file that was cut off while it came
    staging.receive([("a.wav", wav())])
    with (staging.folder / "files.jsonl").open("ab") as file:
        file.write(b'{"number": 1, "na')  # half a line of a process that was killed
    later = open_upload(settings, staging.upload.id, None)
    check(later)
    assert kept(later) == ["a.wav"]


# Archives


@pytest.mark.parametrize("name", ["../out.wav", "/etc/out.wav", "a/../../out.wav", "C:\\out.wav", "..\\out.wav"])
def test_a_name_that_leads_out_of_the_archive_is_refused(settings: Settings, name: str) -> None:
    staging = sent(settings, ("x.zip", zipped([(name, wav()), ("in.wav", wav(300))])))
    assert kept(staging) == ["in.wav"]
    assert not list(settings.data_root.parent.rglob("out.wav"))
    (said,) = reasons(staging).values()
    assert "leads out" in said


def test_a_link_in_an_archive_is_refused(settings: Settings) -> None:
    link = zipfile.ZipInfo("passwd.wav")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    staging = sent(settings, ("x.zip", zipped([(link, b"/etc/passwd")])))
    assert kept(staging) == on_disk(staging) == []
    assert "link" in reasons(staging)["x.zip/passwd.wav"]


def test_what_systems_put_into_archives_is_passed_over(settings: Settings) -> None:
    names = ("__MACOSX/._a.wav", ".DS_Store", "a/Thumbs.db", "a/.hidden/b.wav")
    staging = sent(settings, ("x.zip", zipped([*((name, b"x") for name in names), ("a/a.wav", wav())])))
    assert kept(staging) == ["a/a.wav"]
    assert reasons(staging) == {}


def test_an_archive_that_would_fill_the_disk_is_not_unpacked(settings: Settings) -> None:
    bomb = zipped((f"{number}.txt", bytes(2**20)) for number in range(5))
    staging = sent(settings, ("bomb.zip", bomb), limits=replace(LIMITS, small_bytes=2**21))
    assert on_disk(staging) == []
    assert "unpack to 5 MB" in reasons(staging)["bomb.zip"]


def test_an_archive_that_lies_about_sizes_is_cut_off(settings: Settings) -> None:
    """The directory says 10 bytes, the file has 8 MB."""
    honest = zipped([("a.txt", bytes(8 * 2**20))])
    lie = honest.replace((8 * 2**20).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    staging = sent(settings, ("x.zip", lie), limits=replace(LIMITS, file_bytes=2**20))
    assert on_disk(staging) == []
    assert "damaged" in reasons(staging)["x.zip/a.txt"]


def test_a_file_over_the_limit_is_refused(settings: Settings) -> None:
    limits = replace(LIMITS, file_bytes=2**20)
    large = bytes(2**20 + 1)
    packed = zipped([("a.csv", large), ("a.wav", large)])
    staging = sent(settings, ("x.zip", packed), ("b.txt", large), ("b.MP3", large), limits=limits)
    assert on_disk(staging) == []
    split = "It is larger than 1 MB. Split it into several files."
    cut = "It is larger than 1 MB. Cut it into single words or sentences."
    assert reasons(staging) == {"x.zip/a.csv": split, "x.zip/a.wav": cut, "b.txt": split, "b.MP3": cut}


def test_more_files_than_the_limit_are_refused(settings: Settings) -> None:
    files = [(f"{number}.txt", b"x") for number in range(5)]
    staging = sent(settings, *files, limits=replace(LIMITS, n_files=3))
    assert len(kept(staging)) == 3
    archive = sent(settings, ("x.zip", zipped(files)), limits=replace(LIMITS, n_files=3))
    assert "more than 3 files" in reasons(archive)["x.zip"]


def test_an_archive_of_a_hundred_thousand_files_is_refused_by_its_directory(settings: Settings) -> None:
    """Built by hand, as entries that all point at one file: a megabyte that would be a hundred thousand objects."""
    name = b"a.txt"
    local = b"PK\x03\x04" + bytes(22) + len(name).to_bytes(2, "little") + bytes(2) + name
    entry = b"PK\x01\x02" + bytes(24) + len(name).to_bytes(2, "little") + bytes(16) + name
    directory = entry * 100_000
    end = b"PK\x05\x06" + bytes(4) + (0xFFFF).to_bytes(2, "little") * 2
    end += len(directory).to_bytes(4, "little") + len(local).to_bytes(4, "little") + bytes(2)
    staging = sent(settings, ("x.zip", local + directory + end), limits=replace(LIMITS, directory_bytes=2**20))
    assert "more than 20000 files" in reasons(staging)["x.zip"]


@pytest.mark.parametrize("comment", [b"", b"x" * 65_535])
def test_an_archive_is_refused_by_the_length_in_its_zip64_record_too(settings: Settings, comment: bytes) -> None:
    """The end record claims a short directory; the one of zip64, by which `zipfile` goes, a long one."""
    directory = (b"PK\x01\x02" + bytes(24) + (1).to_bytes(2, "little") + bytes(16) + b"a") * 100_000
    length = len(directory).to_bytes(8, "little")
    n = (100_000).to_bytes(8, "little")
    end64 = b"PK\x06\x06" + (44).to_bytes(8, "little") + b"\x2d\0" * 2 + bytes(8) + n + n + length + bytes(8)
    locator = b"PK\x06\x07" + bytes(4) + length + (1).to_bytes(4, "little")
    end = b"PK\x05\x06" + bytes(4) + b"\1\0" * 2 + (47).to_bytes(4, "little") + bytes(4)
    content = directory + end64 + locator + end + len(comment).to_bytes(2, "little") + comment
    staging = sent(settings, ("x.zip", content), limits=replace(LIMITS, directory_bytes=2**20, n_files=200_000))
    assert "more than 200000 files" in reasons(staging)["x.zip"]


def test_all_files_together_have_a_limit(settings: Settings) -> None:
    limits = replace(LIMITS, total_bytes=30_000)
    staging = Staging(settings, begin(settings, None).upload, limits)
    with pytest.raises(CorpusError, match="All files together"):
        staging.receive([("a.wav", wav()), ("b.wav", wav(250))])
    check(staging)
    assert kept(staging) == ["a.wav"]


def test_a_disk_that_is_nearly_full_takes_no_more_and_loses_nothing(settings: Settings) -> None:
    staging = Staging(settings, begin(settings, None).upload)
    staging.receive([("x.zip", zipped([("a.wav", wav())]))])
    full = Staging(settings, staging.upload, replace(LIMITS, free_bytes=2**62))
    with pytest.raises(CorpusError, match="nearly full"):
        check(full)
    with pytest.raises(CorpusError, match="nearly full"):
        full.receive([("b.wav", wav(250))])
    check(staging)
    assert kept(staging) == ["a.wav"]


def test_an_archive_with_a_password_is_told(settings: Settings) -> None:
    content = bytearray(zipped([("a.wav", wav())], zipfile.ZIP_STORED))
    for magic, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(magic) + place] |= 1
    staging = sent(settings, ("x.zip", bytes(content)))
    assert "password" in reasons(staging)["x.zip/a.wav"]


@pytest.mark.parametrize("damage", ["cut", "rubbish", "empty", "flipped", "method", "lzma"])
def test_a_damaged_archive_is_told(settings: Settings, damage: str) -> None:
    content = bytearray(zipped([("a.wav", wav())]))
    if damage == "cut":
        content = content[: len(content) // 2]
    elif damage == "rubbish":
        content = bytearray(b"rubbish" * 100)
    elif damage == "empty":
        content = bytearray()
    elif damage == "flipped":
        content[200] ^= 0xFF
    elif damage == "lzma":
        content = bytearray(with_entries(content, method=zipfile.ZIP_LZMA))
    else:
        content[content.index(b"PK\x01\x02") + 10] = 9  # Deflate64, which Python does not read
    staging = sent(settings, ("x.zip", bytes(content)), ("good.wav", wav(300)))
    assert kept(staging) == ["good.wav"]
    (said,) = reasons(staging).values()
    assert "damaged" in said


@pytest.mark.parametrize("name", ["x.rar", "x.7z", "inner/x.zip"])
def test_other_archives_and_those_within_archives_are_told(settings: Settings, name: str) -> None:
    staging = sent(settings, ("outer.zip", zipped([(name, b"x")])))
    assert "not opened" in reasons(staging)[f"outer.zip/{name}"]


@pytest.mark.parametrize("coding", ["utf-8", "cp857"])
def test_turkish_names_of_archives_that_do_not_mark_them_are_read(settings: Settings, coding: str) -> None:
    plain = zipfile.ZipInfo("ABCDEFGH.wav")
    written = "çiğ".encode(coding)
    content = zipped([(plain, wav())]).replace(b"ABCDEFGH"[: len(written)], written)
    staging = sent(settings, ("x.zip", content))
    assert kept(staging) == ["çiğ" + "ABCDEFGH"[len(written) :] + ".wav"]


def test_decomposed_names_are_kept_composed(settings: Settings) -> None:
    staging = sent(settings, ("x.zip", zipped([("s\u0327eker.wav", wav())])))
    assert kept(staging) == ["şeker.wav"]


@pytest.mark.parametrize("name", ["a\0b.wav", "a\nb.wav", "x" * 300 + ".wav", "/".join("abcdefghijklmn") + ".wav"])
def test_names_that_no_file_may_have_are_refused(settings: Settings, name: str) -> None:
    staging = sent(settings, (name, wav()))
    assert on_disk(staging) == []
    assert len(reasons(staging)) == 1


# Whose it is, and how long


def test_an_upload_is_its_senders_alone(settings: Settings) -> None:
    everybody = [Person("Ada", (Role.ADMIN,)), Person("Rita", (Role.REVIEWER,)), Person("Eve", (Role.EXPERT,))]
    for person in everybody:
        People(settings).save(person, Identity("Ada", frozenset(Role)))
    rita, ada, eve = (People(settings).identify(name) for name in ("Rita", "Ada", "Eve"))
    staging = begin(settings, rita)
    assert [one.upload.id for one in staged_uploads(settings, rita)] == [staging.upload.id]
    assert staged_uploads(settings, ada) == []
    with pytest.raises(CorpusError, match="There is no upload"):
        open_upload(settings, staging.upload.id, ada)
    for nobody in (eve, None):
        with pytest.raises(AccessError):
            begin(settings, nobody)
        with pytest.raises(AccessError):
            open_upload(settings, staging.upload.id, nobody)


@pytest.mark.parametrize("upload_id", ["../../etc", "", "0" * 16])
def test_an_unknown_upload_is_told(settings: Settings, upload_id: str) -> None:
    with pytest.raises(CorpusError, match="There is no upload"):
        open_upload(settings, upload_id, None)


def test_uploads_that_nobody_goes_on_with_are_removed(settings: Settings) -> None:
    old, young = begin(settings, None), begin(settings, None)
    then = as_text(datetime.now(UTC) - timedelta(days=LIMITS.days_kept, hours=1))
    artifacts.write_json(old.folder / "upload.json", {**vars(old.upload), "changed_at": then})
    assert [one.upload.id for one in staged_uploads(settings, None)] == [young.upload.id]
    assert not old.folder.exists()


def test_two_windows_do_not_check_at_once(settings: Settings) -> None:
    staging = Staging(settings, begin(settings, None).upload)
    staging.receive([("a.wav", wav())])
    other = open_upload(settings, staging.upload.id, None)

    def busy(done: int, total: int, name: str = "") -> None:
        with pytest.raises(CorpusError, match="another window"):
            check(other)

    check(staging, busy)


# What would become of it


def rows(staging: Staging, choices: Choices | None = None) -> dict[str, tuple[str, str]]:
    corpus = review.read_corpus(staging)
    return {row.path: (row.text, row.speaker) for row in review.rows_of(staging, corpus, choices or Choices())}


@pytest.mark.parametrize(
    ("stem", "rule", "read"),
    [
        ("01_araba", NameRule.NUMBER_WORD, ("araba", "")),
        ("01 - bal", NameRule.NUMBER_WORD, ("bal", "")),
        ("araba", NameRule.NUMBER_WORD, ("araba", "")),
        ("araba_ayse", NameRule.WORD_SPEAKER, ("araba", "ayse")),
        ("ayse_araba", NameRule.SPEAKER_WORD, ("araba", "ayse")),
        ("dağ evi-S03", NameRule.WORD_SPEAKER, ("dağ evi", "S03")),
        ("araba", NameRule.WORD_SPEAKER, ("", "")),
        ("araba", NameRule.WORD, ("araba", "")),
        ("araba", NameRule.NONE, ("", "")),
    ],
)
def test_names_are_read_by_the_chosen_rule(stem: str, rule: NameRule, read: tuple[str, str]) -> None:
    assert read_name(stem, rule) == read


@pytest.mark.parametrize(
    ("stems", "rule"),
    [
        (["01_araba", "02_elma", "masa"], NameRule.NUMBER_WORD),
        (["01_araba", "02_elma2"], NameRule.NONE),
        (["araba_ayse", "elma_ayse", "araba_can", "elma_can", "masa_can"], NameRule.WORD_SPEAKER),
        (["ayse_araba", "ayse_elma", "can_masa"], NameRule.SPEAKER_WORD),
        (["araba_s01", "elma_s02"], NameRule.WORD_SPEAKER),
        (["araba_ayse", "elma_can"], NameRule.NONE),  # either could be the speaker
        (["araba", "elma"], NameRule.WORD),
        (["REC001", "REC002"], NameRule.NONE),
        (["Yeni Kayıt 3"], NameRule.NONE),
        (["0001", "0002"], NameRule.NONE),
        ([], NameRule.NONE),
    ],
)
def test_a_rule_is_proposed_only_where_names_show_it(stems: list[str], rule: NameRule) -> None:
    assert likely_rule(stems) is rule


def test_texts_come_from_tables_then_files_then_names(settings: Settings) -> None:
    table = "file,text,speaker\nrec1.wav,Hello there,Zoë\ngone.wav,Nowhere,Zoë\n".encode()
    staging = sent(
        settings, ("d/list.csv", table), ("d/rec1.wav", wav()), ("d/rec2.wav", wav(210)), ("d/rec2.txt", b"Good day"),
        ("d/s7/ayse_ev.wav", wav(220)),
    )  # fmt: skip
    corpus = review.read_corpus(staging)
    found = {row.path: row for row in review.rows_of(staging, corpus, Choices(names=NameRule.SPEAKER_WORD))}
    assert {path: (row.text, row.text_source, row.speaker) for path, row in found.items()} == {
        "d/rec1.wav": ("Hello there", Source.TABLE, "Zoë"),
        "d/rec2.wav": ("Good day", Source.BESIDE, ""),
        "d/s7/ayse_ev.wav": ("ev", Source.NAME, "ayse"),
    }
    assert corpus.n_absent == 1


def test_the_folder_of_a_speaker_is_read_and_the_folder_of_all_is_not(settings: Settings) -> None:
    staging = sent(
        settings, ("mine/ali/wav/ev.wav", wav()), ("mine/veli/wav/ev.wav", wav(210)), ("mine/su.wav", wav(220))
    )
    assert rows(staging, Choices(speaker="Can")) == {
        "mine/ali/wav/ev.wav": ("ev", "ali"), "mine/su.wav": ("su", "Can"), "mine/veli/wav/ev.wav": ("ev", "veli"),
    }  # fmt: skip


def test_what_was_typed_stands_before_all_else_and_is_there_later(settings: Settings) -> None:
    staging = sent(settings, ("ev.wav", wav()), ("su.wav", wav(210)))
    review.save_choices(staging, Choices(NameRule.WORD, "tr", "", None, {"ev.wav": {"text": "evim", "speaker": "Can"}}))
    later = open_upload(settings, staging.upload.id, None)
    assert rows(later, review.load_choices(later)) == {"ev.wav": ("evim", "Can"), "su.wav": ("su", "")}


def test_the_contents_are_counted(settings: Settings) -> None:
    staging = sent(
        settings, ("a.wav", wav()), ("b.pdf", b"x"), ("a.txt", b"a"), ("t.csv", b"x"), ("a_result.json", b"{}")
    )
    contents = review.contents_of(staging.staged.values())
    assert (contents.n_recordings, contents.n_tables, contents.n_texts, contents.n_labels) == (1, 1, 1, 1)
    assert contents.by_suffix == {".wav": 1} and contents.n_refused == 1
    assert contents.seconds == pytest.approx(0.75)


# Importing it


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> list[list[str]]:
    """What would be started in the background, started at once and here."""
    commands: list[list[str]] = []

    def launch(_settings: Settings, *, argv: list[str], root: Path, kind: str, name: str, config: object, by: object):
        commands.append(argv)
        _, fmt, path, _, set_name, *language = argv
        run = RunDirectory.create(root, kind=kind, name=name, config=config, seed=None, executor="local")
        import_path(settings, Path(path), name=set_name, fmt=fmt, language=language[-1] if language else "")
        run.close("finished")
        return run

    monkeypatch.setattr(importing, "launch", launch)
    return commands


def imported(settings: Settings, staging: Staging, name: str, choices: Choices | None = None) -> None:
    importing.begin_import(settings, staging, review.read_corpus(staging), choices or Choices(), name, None)


def test_an_upload_becomes_a_set_of_its_own(settings: Settings, launched: list[list[str]]) -> None:
    staging = sent(
        settings, ("x.zip", zipped([("ev_ayşe.wav", wav()), ("su_ayşe.wav", wav(210)), ("rec1.wav", wav(220))]))
    )
    imported(settings, staging, "sınıf-7", Choices(names=NameRule.WORD_SPEAKER, language="tr"))
    recordings = read_recordings(settings, "sınıf-7")
    assert [(one.text, one.speaker, one.language, one.rubric) for one in recordings] == [
        ("ev", "ayşe", "tr", RubricName.WORD), ("su", "ayşe", "tr", RubricName.WORD),
    ]  # fmt: skip
    assert get_set(settings, "sınıf-7").root == registration(settings, "sınıf-7") / importing.FOLDER
    assert importing.settle(settings, staging) and not staging.folder.exists()
    take_away(settings, "sınıf-7")
    assert not registration(settings, "sınıf-7").exists()


def test_a_corpus_that_is_recognised_is_imported_as_it_lies(settings: Settings, launched: list[list[str]]) -> None:
    label = json.dumps({"word": "ev", "score": 80, "labeled": True, "evaluator": "Zoë", "notes": ""}).encode()
    base = "mine/participant_1/kelimeler"
    staging = sent(
        settings, (f"{base}/01_ev.wav", wav()), (f"{base}/02_su.wav", wav(210)), (f"{base}/01_ev_result.json", label)
    )
    corpus = review.read_corpus(staging)
    assert not corpus.is_editable and len(corpus.items) == 2
    imported(settings, staging, "words")
    assert launched[0][1] == "folder"
    from pipeline.labels.index import Index

    assert Index(settings).label_counts("words") == {"Zoë": 1}
    assert [(one.text, one.speaker) for one in read_recordings(settings, "words")] == [
        ("ev", "participant_1"), ("su", "participant_1"),
    ]  # fmt: skip


def test_the_language_of_a_corpus_that_says_none_is_chosen(settings: Settings, launched: list[list[str]]) -> None:
    staging = sent(
        settings, ("wav.scp", b"u1 u1.wav\n"), ("text", b"u1 good day\n"), ("utt2spk", b"u1 s1\n"), ("u1.wav", wav())
    )
    imported(settings, staging, "kaldi", Choices(language="en"))
    (recording,) = read_recordings(settings, "kaldi")
    assert launched[0][1] == "kaldi"
    assert (recording.text, recording.speaker, recording.language) == ("good day", "s1", "en")


def test_ratings_in_a_manifest_are_kept(settings: Settings, launched: list[list[str]]) -> None:
    line = {"audio": "a.wav", "text": "Good day to you", "speaker": "s1", "score": 82, "language": "en"}
    staging = sent(settings, ("m.jsonl", json.dumps(line).encode() + b"\n"), ("a.wav", wav()))
    imported(settings, staging, "rated")
    from pipeline.labels.index import Index

    (score,) = Index(settings).consensus_scores("rated")["score"]
    assert score == 82


@pytest.mark.parametrize("name", ["", "../out", "tiny/set", "taken", "Taken"])
def test_a_name_that_is_none_or_taken_is_told_and_moves_nothing(
    settings: Settings, launched: list[list[str]], name: str
) -> None:
    imported(settings, sent(settings, ("ev.wav", wav())), "taken")
    staging = sent(settings, ("ev.wav", wav(210)))
    with pytest.raises(CorpusError):
        imported(settings, staging, name)
    assert on_disk(staging) == ["ev.wav"] and len(launched) == 1


def test_recordings_are_added_to_a_set_that_was_sent_before(settings: Settings, launched: list[list[str]]) -> None:
    imported(
        settings, sent(settings, ("ev_ayşe.wav", wav())), "7b", Choices(names=NameRule.WORD_SPEAKER, language="tr")
    )
    assert importing.growing_sets(settings) == ["7b"]
    further = sent(settings, ("ev_ayşe.wav", wav()), ("su_can.wav", wav(210)))
    corpus, choices = review.read_corpus(further), Choices(names=NameRule.WORD_SPEAKER, language="tr")
    importing.begin_import(settings, further, corpus, choices, "7b", None, add=True)
    assert {one.text: one.speaker for one in read_recordings(settings, "7b")} == {"ev": "ayşe", "su": "can"}
    assert importing.settle(settings, further)
    other = sent(settings, ("ev_ayşe.wav", wav(300)), ("göl_can.wav", wav(220)))
    for name, reason in (("7b", "other files of these names: ev_ayşe.wav"), ("tiny", "cannot be added")):
        with pytest.raises(CorpusError, match=reason):
            importing.begin_import(settings, other, review.read_corpus(other), choices, name, None, add=True)
    assert on_disk(other) == ["ev_ayşe.wav", "göl_can.wav"] and len(launched) == 2


def test_an_addition_that_was_cut_off_goes_on(settings: Settings, launched: list[list[str]]) -> None:
    imported(settings, sent(settings, ("ev.wav", wav())), "7b")
    further = sent(settings, ("göl.wav", wav(220)), ("su.wav", wav(210)))
    corpus = review.read_corpus(further)
    rows = review.manifest_rows(review.rows_of(further, corpus, Choices()), corpus, Choices())
    jsonl.write(further.files / importing.MANIFEST, rows)
    further.change(set="7b", source=f"manifest/{importing.MANIFEST}")
    (further.files / "su.wav").replace(get_set(settings, "7b").root / "su.wav")
    importing.resume_import(settings, open_upload(settings, further.upload.id, None), None)
    assert {one.text for one in read_recordings(settings, "7b")} == {"ev", "göl", "su"}


def test_an_upload_without_any_text_is_told(settings: Settings, launched: list[list[str]]) -> None:
    with pytest.raises(CorpusError, match="No recording has a text"):
        imported(settings, sent(settings, ("REC001.wav", wav())), "empty")
    assert list_sets(settings) == []


def test_an_import_that_was_stopped_goes_on_or_leaves_nothing(
    settings: Settings, launched: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_given: object, **_named: object) -> None:
        raise CorpusError("stopped")

    uploads = [sent(settings, ("ev.wav", wav(pitch))) for pitch in (200, 210)]
    with monkeypatch.context() as patch:
        patch.setattr(importing, "launch", refuses)
        for name, staging in zip(("first", "second"), uploads, strict=True):
            with pytest.raises(CorpusError, match="stopped"):
                imported(settings, staging, name)
    first, second = (open_upload(settings, staging.upload.id, None) for staging in uploads)
    assert first.upload.set == "first"
    importing.resume_import(settings, first, None)
    second.discard()
    assert [set_.name for set_ in list_sets(settings)] == ["first"]
    assert not registration(settings, "second").exists()
    first.discard()
    assert len(read_recordings(settings, "first")) == 1
    assert (get_set(settings, "first").root / "ev.wav").is_file()


def test_what_is_being_imported_is_not_discarded(settings: Settings) -> None:
    staging = sent(settings, ("ev.wav", wav()))
    run = RunDirectory.create(settings.jobs_root, kind="import", name="x", config={}, seed=None, executor="local")
    staging.change(set="x", run=run.id)
    with pytest.raises(CorpusError, match="Stop the import first"):
        importing.discard(settings, staging)
    run.close("stopped")
    importing.discard(settings, staging)
    assert not staging.folder.exists()


def test_crc_errors_are_told(settings: Settings) -> None:
    content = zipped([("a.txt", b"hello")], zipfile.ZIP_STORED)
    wrong = content.replace(zlib.crc32(b"hello").to_bytes(4, "little"), bytes(4))
    assert "damaged" in reasons(sent(settings, ("x.zip", wrong)))["x.zip/a.txt"]
