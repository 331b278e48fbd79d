"""Clips of a word by synthesisers, phrases near it, and which voices there are."""

import json
import sys
import unicodedata
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from pipeline import jsonl
from pipeline.audio.load import Audio, load_audio
from pipeline.cli.main import main
from pipeline.errors import CorpusError
from pipeline.settings import Settings
from pipeline.synthesis import espeak, kokoro, piper
from pipeline.synthesis.manner import AS_IT_IS, Manner
from pipeline.synthesis.voices import voices_for, voices_of
from pipeline.wakeword.data import near_phrases as phrases
from pipeline.wakeword.data.clip_library import open_library
from pipeline.wakeword.data.clips import Label, scan_clips, scan_folders
from pipeline.wakeword.data.near_phrases import near_phrases
from pipeline.wakeword.data.other_speech import word_sequences
from pipeline.wakeword.data.speaking import delete_spoken, speak, texts_in
from pipeline.wakeword.data.spoken_word import same_letters
from pipeline.wakeword.wake_words import pronunciation, wake_word

DICTIONARY = ("computer", "computers", "commuter", "compute", "snow", "boy", "no", "toy", "so", "say", "tea", "harvest")


class Tone:
    """A voice that says everything as a tone of its own."""

    synthesiser = "tone"

    def __init__(self, name: str, pitch_hz: float) -> None:
        self.name, self.pitch_hz = name, pitch_hz
        self.said: list[tuple[str, Manner]] = []

    def say(self, text: str, manner: Manner = AS_IT_IS) -> Audio:
        self.said.append((text, manner))
        times = np.arange(round(8_000 / manner.rate)) / 16_000
        return Audio(np.concatenate([np.zeros(4_000), 0.2 * np.sin(6.28 * self.pitch_hz * times)]).astype(np.float32))


@pytest.fixture
def tones(monkeypatch: pytest.MonkeyPatch) -> list[Tone]:
    voices = [Tone("low", 120.0), Tone("high", 240.0)]
    monkeypatch.setattr(
        "pipeline.synthesis.voices.voices_of", lambda _settings, language, _folders: voices if language == "en" else []
    )
    return voices


@pytest.fixture
def small_dictionary(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = {word: phrases.in_dictionary(word) for word in DICTIONARY}
    phrases._spellings.cache_clear()
    monkeypatch.setattr(phrases, "whole_dictionary", lambda: entries)


@pytest.mark.usefixtures("small_dictionary")
def test_near_phrases_of_english_are_near_in_phones_and_never_hold_the_word() -> None:
    near = near_phrases("Computer", "en", 10)
    assert {"compute", "commuter"} <= set(near)
    assert not {"computer", "computers", "harvest"} & set(near)
    assert {"snow", "boy", "no boy", "so boy", "snow toy"} <= set(near_phrases("snowboy", "en", 20))


def test_pieces_of_words_are_no_near_phrases() -> None:
    phrases._spellings.cache_clear()
    near = near_phrases("computer", "en", 100)
    assert {"commuter", "compute"} <= set(near)
    assert not {"ca", "jha", "ma", "ter"} & {word for phrase in near for word in phrase.split()}


@pytest.mark.parametrize("package", ["symspellpy", "wordfreq"])
def test_without_a_list_of_words_no_english_phrases_are_near(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(CorpusError, match=rf"^Finding English phrases near a word needs {package}: .*pip install"):
        near_phrases("computer", "en", 5)
    assert near_phrases("bilgisayar", "tr", 5)


def test_other_words_are_never_the_word_or_near_it() -> None:
    draw = np.random.default_rng(0)
    rows = word_sequences("en", 50, ["computer", "no boy"], draw)
    assert len(rows) == 50 and {len(row.split()) for row in rows} == {1, 2, 3, 4, 5, 6}
    assert not {"computer", "no", "boy"} & {word for row in rows for word in row.split()}
    assert word_sequences("xx", 5, [], draw) == [], "nobody knows its words"


@pytest.mark.parametrize("language", ["en", "tr"])
def test_other_words_are_no_abbreviations(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever joins sounds cannot read them, and a run of minutes ended at the first."""
    import wordfreq

    monkeypatch.setattr(wordfreq, "top_n_list", lambda *_: ["ml", "vs", "dr", "km", "var"])
    rows = word_sequences(language, 20, [], np.random.default_rng(0))
    assert {word for row in rows for word in row.split()} == {"var"}


def test_near_phrases_without_a_dictionary_change_letters_and_leave_out_syllables() -> None:
    near = near_phrases("bilgisayar", "tr", 100)
    assert {"gisayar", "bilgisa", "pilgisayar", "bulgisayar"} <= set(near)
    assert "bilgisayar" not in near
    assert {"haba dünya", "merhaba ya"} <= set(near_phrases("merhaba dünya", "tr", 100)), "two words stay two"
    with pytest.raises(CorpusError, match="no word"):
        near_phrases("!?", "tr", 5)


@pytest.mark.usefixtures("small_dictionary")
def test_a_spoken_folder_is_one_of_positives_with_its_near_phrases(
    settings: Settings, tmp_path: Path, tones: list[Tone]
) -> None:
    out = tmp_path / "computer"
    spoken = speak(settings, "computer", out, n_clips=6, n_near=4, n_other=5, seed=1)
    assert (spoken.clips, spoken.near, spoken.other, spoken.folder) == (6, 4, 5, out)
    assert set(spoken.voices) == {"low", "high"}
    rows = list(jsonl.read(out / "spoken.jsonl"))
    assert all(row["synthetic"] for row in rows)
    assert {row["text"] for row in rows if row["label"] == "positive"} == {"computer"}
    scan = scan_folders({Label.POSITIVE: [out]})
    counts = {label: row.clips for label, row in scan.statistics.items()}
    assert counts == {Label.POSITIVE: 6, Label.HARD_NEGATIVE: 4, Label.NEGATIVE: 5}
    for scanned in (scan, scan_clips(out)):  # a training's, and that of `scan` and `split`
        assert {clip.source for clip in scanned.clips} == {"low", "high"}, "one voice stays on one side of a split"
        assert scanned.sources_known and all(clip.synthetic for clip in scanned.clips)
    clip = load_audio(out / rows[0]["path"])
    assert np.flatnonzero(np.abs(clip.samples) > 0.01)[0] < 0.06 * 16_000, "what is before the word is cut"
    (out / "spoken.jsonl").unlink()  # as a round that was killed leaves it
    assert speak(settings, "computer", out, n_clips=2, n_near=0, n_other=0, seed=1).near == 0
    assert len(list(out.rglob("*.wav"))) == 2, "its own folder is written anew"
    with pytest.raises(CorpusError, match="holds clips of 'computer'"):
        speak(settings, "banana", out, n_clips=2)
    mine = out / "positive" / "low" / "take 1.wav"
    mine.write_bytes(b"of a person")
    with pytest.raises(CorpusError, match=r"also holds 1 file that .*positive/low/take 1\.wav.*Move it to"):
        speak(settings, "computer", out, n_clips=2)
    assert mine.read_bytes() == b"of a person" and len(list(out.rglob("*.wav"))) == 3, "nothing is removed"


def test_a_round_that_was_cut_off_as_it_began_is_done_anew(
    settings: Settings, tmp_path: Path, tones: list[Tone], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / ".tmp-x.json").write_text("{", encoding="utf-8")
    speak(settings, "computer", tmp_path / "a", n_clips=2, n_near=0, n_other=0)

    unlink = Path.unlink

    def cut_off(path: Path, **options: Any) -> None:
        if path.suffix == ".wav":
            raise KeyboardInterrupt
        unlink(path, **options)

    monkeypatch.setattr(Path, "unlink", cut_off)
    with pytest.raises(KeyboardInterrupt):
        speak(settings, "computer", tmp_path / "a", n_clips=2, n_near=0, n_other=0)
    assert texts_in(tmp_path / "a") == {}, "no list of clips that are gone"


def test_a_folder_that_was_not_spoken_to_its_end_is_not_taken_for_recordings(
    settings: Settings, tmp_path: Path, tones: list[Tone]
) -> None:
    speak(settings, "computer", tmp_path / "spoken", n_clips=4, seed=1)
    (tmp_path / "spoken" / "spoken.jsonl").unlink()  # which is written last
    for scan in (
        lambda: scan_folders({Label.POSITIVE: [tmp_path / "spoken"]}),
        lambda: scan_clips(tmp_path / "spoken"),
    ):
        with pytest.raises(CorpusError, match="was interrupted there"):
            scan()


def test_other_pronunciations_are_spoken_in_its_place(settings: Settings, tmp_path: Path, tones: list[Tone]) -> None:
    speak(
        settings, "pronlab", tmp_path / "p", n_clips=4, n_near=0, n_other=0, pronunciations=("pron lab", "[[pr'Qnlab]]")
    )
    assert {text for tone in tones for text, _ in tone.said} == {"pron lab", "[[pr'Qnlab]]"}
    assert len({manner for tone in tones for _, manner in tone.said}) == 4


@pytest.mark.parametrize(("is_there", "remedy"), [(True, "for en, tr alone. Install Piper"), (False, "Install eSpeak")])
def test_a_language_without_a_voice_is_told_what_to_install(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, is_there: bool, remedy: str
) -> None:
    monkeypatch.setattr(espeak, "is_installed", lambda: is_there)
    with pytest.raises(CorpusError, match=f"speaks 'fr'.*{remedy}"):
        voices_for(settings, "fr")


def test_what_cannot_be_spoken_is_told(settings: Settings, tmp_path: Path, tones: list[Tone]) -> None:
    with pytest.raises(CorpusError, match="No synthesiser here speaks 'xx'"):
        speak(settings, "computer", tmp_path / "x", language="xx")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x")
    with pytest.raises(CorpusError, match="nothing was written"):
        speak(settings, "computer", tmp_path / "mine")


def test_a_pattern_of_speakers_wants_recordings(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["wakeword", "speak", "computer", "--out", str(tmp_path / "a"), "--source", "(x)"])
    assert done.exit_code == 1 and "--source names the speakers of --from-speech" in done.output
    assert not (tmp_path / "a").exists()


def test_a_word_of_another_alphabet_wants_its_language(
    settings: Settings, tones: list[Tone], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRONLAB_DATA_ROOT", str(settings.data_root))
    command = ["wakeword", "speak", "Işığı aç", "--out", str(tmp_path / "a"), "--clips", "2", "--near", "0"]
    for word in ("Işığı aç", "İSTANBUL", unicodedata.normalize("NFD", "aç")):
        done = CliRunner().invoke(main, ["wakeword", "speak", word, *command[3:]])
        assert done.exit_code == 1 and "--language tr (or --language en)" in done.output
        assert not (tmp_path / "a").exists()
    for replaced in ("", " They take the place of 3 clips spoken there before."):
        done = CliRunner().invoke(main, [*command, "--language", "en"])
        assert done.exit_code == 0, done.output
        assert done.stdout.rstrip("\n").endswith(f"/a`.{replaced}")


def test_two_do_not_speak_into_one_folder_at_once(settings: Settings, tmp_path: Path, tones: list[Tone]) -> None:
    refused: list[CorpusError] = []

    def meanwhile(_done: int, _total: int, _message: str) -> None:
        with pytest.raises(CorpusError, match=r"being spoken into .*name another folder") as error:
            speak(settings, "computer", tmp_path / "a", n_clips=1, n_near=0, n_other=0)
        refused.append(error.value)
        speak(settings, "computer", tmp_path / "b", n_clips=1, n_near=0, n_other=0)

    speak(settings, "computer", tmp_path / "a", n_clips=2, n_near=0, n_other=0, progress=meanwhile)
    assert len(refused) == 2 and len(list(jsonl.read(tmp_path / "a" / "spoken.jsonl"))) == 2
    speak(settings, "computer", tmp_path / "a", n_clips=1, n_near=0, n_other=0)


def test_another_word_is_spoken_where_the_clips_before_were_deleted(
    settings: Settings, tmp_path: Path, tones: list[Tone]
) -> None:
    out = tmp_path / "a"
    speak(settings, "computer", out, n_clips=2, n_near=0, n_other=0)
    with pytest.raises(CorpusError, match="clips of 'computer'"):
        speak(settings, "snowboy", out, n_clips=1, n_near=0, n_other=0)
    mine = out / "positive" / "mine.wav"
    mine.write_bytes(b"")
    with pytest.raises(CorpusError, match="not spoken here"):
        delete_spoken(settings, out)
    mine.unlink()
    assert delete_spoken(settings, out) == 2 and not any(out.iterdir())
    assert speak(settings, "snowboy", out, n_clips=1, n_near=0, n_other=0).replaced == 0


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("  smart   mirror ", "smart mirror"), ("let’s go", "let's go"), ("s\u0327imdi", "şimdi"), ("R2-D2", "R2-D2"),
        ("hey\u200b you", "hey you"), ("नमस्ते", "नमस्ते"),
    ],
)  # fmt: skip
def test_a_wake_word_is_kept_as_it_is_said(text: str, word: str) -> None:
    assert wake_word(text) == word


def test_spellings_of_one_word_have_the_same_letters() -> None:
    for one, other in (("Li-on", "lion"), ("let’s go", "Lets Go"), ("İYİ", "iyi"), ("किताब", "किता-ब")):
        assert same_letters(one, other)
    assert not same_letters("किताब", "कतब"), "vowel signs tell words apart"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a/b", "'/'"), ("x\x00y", r"'\\x00'"), ("a\nb", r"'\\n'"), ("hey!", "'!'"), ("42", "Write numbers as words"),
        ("- -", "no letters"), ("", "Write the word first"), (" \u200b ", "no letters"),
        ("a" * 200, "at most; .* has 200"),
    ],
)  # fmt: skip
def test_what_nobody_can_say_is_no_wake_word_anywhere(
    settings: Settings, tmp_path: Path, tones: list[Tone], text: str, reason: str
) -> None:
    for take in (wake_word, partial(open_library, settings, create=True), partial(speak, settings, out=tmp_path / "x")):
        with pytest.raises(CorpusError, match=reason):
            take(text)
    with pytest.raises(CorpusError, match=reason):
        speak(settings, "computer", tmp_path / "x", pronunciations=[text])
    assert not (tmp_path / "x").exists()


def test_phonemes_are_a_pronunciation_and_no_word() -> None:
    assert pronunciation(" [[k@mpj'u:t3]] ") == "[[k@mpj'u:t3]]"
    for text in ("[[a\nb]]", "[[" + "a" * 300):
        with pytest.raises(CorpusError, match="phonemes are printable signs"):
            pronunciation(text)


@pytest.mark.skipif(not espeak.is_installed(), reason="espeak-ng is not installed")
def test_espeak_says_it_at_the_rate_and_pitch_that_are_asked_for(settings: Settings) -> None:
    voice = voices_of(settings, "tr")[-1]
    slow, quick = (voice.say("bilgisayar", Manner(rate)).duration_s for rate in (0.7, 1.4))
    assert slow > 1.4 * quick
    assert voices_of(settings, "xx") == []


def test_piper_voices_are_found_by_their_language(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(piper, "is_installed", lambda: True)
    monkeypatch.setattr(piper, "_packaged", lambda: ())
    described: dict[str, dict[str, Any]] = {
        "one": {"language": {"code": "tr_TR"}}, "many": {"espeak": {"voice": "tr"}, "num_speakers": 3},
        "other": {"language": {"code": "en_US"}}, "broken": {},
    }  # fmt: skip
    for name, content in described.items():
        (tmp_path / f"{name}.onnx").write_bytes(b"")
        (tmp_path / f"{name}.onnx.json").write_text(json.dumps(content))
    (tmp_path / "bare.onnx").write_bytes(b"")
    assert [voice.name for voice in piper.voices("tr", [tmp_path, tmp_path / "none"])] == [
        "piper-many-0", "piper-many-1", "piper-many-2", "piper-one",
    ]  # fmt: skip


def test_piper_is_asked_for_the_speaker_and_the_manner(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[Any] = []

    class Loaded:
        config = SimpleNamespace(length_scale=1.2, noise_scale=0.6, noise_w_scale=None)

        def synthesize(self, text: str, config: Any) -> list[Any]:
            asked.append((text, config))
            return [SimpleNamespace(audio_float_array=np.full(2_205, 0.1), sample_rate=22_050)]

    monkeypatch.setitem(__import__("sys").modules, "piper", SimpleNamespace(SynthesisConfig=SimpleNamespace))
    monkeypatch.setattr(piper, "_loaded", lambda model: Loaded())
    audio = piper.PiperVoice(tmp_path / "v.onnx", 2).say("hello", Manner(rate=0.8, liveliness=1.5))
    ((text, config),) = asked
    assert (text, config.speaker_id, config.noise_w_scale) == ("hello", 2, None)
    assert (config.length_scale, config.noise_scale) == (pytest.approx(1.5), pytest.approx(0.9))
    assert audio.duration_s == pytest.approx(0.1, abs=0.001)
    higher = piper.PiperVoice(tmp_path / "v.onnx").say("hello", Manner(pitch=12.0))
    assert asked[-1][1].length_scale == pytest.approx(2.4), "spoken at half the rate and played at twice"
    assert higher.duration_s == pytest.approx(0.05, abs=0.001)


@pytest.mark.usefixtures("small_dictionary")
def test_speak_from_the_command_line(
    settings: Settings, tones: list[Tone], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRONLAB_DATA_ROOT", str(settings.data_root))
    out = tmp_path / "spoken"
    command = ["wakeword", "speak", "computer", "--out", str(out), "--clips", "4", "--json"]
    answer = json.loads(CliRunner().invoke(main, command, catch_exceptions=False).stdout)
    assert (answer["clips"], answer["near"], answer["other"], answer["folder"]) == (4, 2, 2, str(out))


class Graph:
    """Answers with a tone as long as there are sounds."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def get_inputs(self) -> list[Any]:
        return [SimpleNamespace(name=name) for name in ("input_ids", "style", "speed")]

    def run(self, _outputs: None, inputs: dict[str, Any]) -> list[Any]:
        self.asked.append(inputs)
        return [np.full((1, 1_200 * inputs["input_ids"].shape[1]), 0.1, dtype=np.float32)]


def test_voices_of_kokoro_are_mixed_by_their_timbres(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    graph = Graph()
    monkeypatch.setattr("pipeline.onnx_graphs.open_graph", lambda _path: graph)
    monkeypatch.setattr(espeak, "is_installed", lambda: True)
    monkeypatch.setattr(espeak, "ipa", lambda text, voice: {"en-us": "ˈoʊk", "en-gb-x-rp": "ˈəʊk"}[voice])
    folder = tmp_path / "kokoro"
    (folder / "voices").mkdir(parents=True)
    (folder / "kokoro.onnx").write_bytes(b"")
    for number, name in enumerate(("af_one", "bm_two", "jf_three")):
        np.full((9, 256), float(number), dtype=np.float32).tofile(folder / "voices" / f"{name}.bin")
    voices = kokoro.voices("en", [tmp_path, tmp_path / "none"])
    assert [voice.name for voice in voices] == [
        "kokoro-af_one", "kokoro-bm_two", "kokoro-af_one-bm_two", "kokoro-af_one-jf_three", "kokoro-bm_two-af_one",
        "kokoro-bm_two-jf_three",
    ]  # fmt: skip
    assert kokoro.voices("tr", [tmp_path]) == []
    audio = voices[3].say("oak", Manner(rate=0.8, pitch=12.0))
    (asked,) = graph.asked
    assert asked["input_ids"].tolist() == [[0, 156, 31, 53, 4, 0]], "stress, O, K and a full stop"
    assert asked["style"][0, 0] == 1.0 and asked["style"][0, 255] == 0.0, "the timbre of both, the manner of the first"
    assert asked["speed"] == [0.5], "spoken slower and played faster"
    assert audio.duration_s == pytest.approx(6 * 1_200 / 48_000, abs=0.001)
    assert kokoro.tokens_of("oak", "bm_two")[1] == kokoro.TOKENS["Q"]
