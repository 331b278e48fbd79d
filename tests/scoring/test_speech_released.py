"""The released speech model: what it says of English, of other texts, of noise and silence, of Turkish words."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from pipeline.audio.load import Audio, load_audio
from pipeline.records import RubricName, ScoreResult, State, Target, Verdict
from pipeline.scoring.base import score_audio
from pipeline.scoring.selection import load_scorer
from pipeline.scoring.speech.model_files import FILES, load_info
from pipeline.scoring.speech.scorer import SpeechScorer
from pipeline.settings import CHECKOUT, Settings

FOLDER = CHECKOUT / "models" / "speech-en"
SHARED = CHECKOUT.parent / "shared" / "data"
TEXTS = (
    "she sells fresh bread and cheese at the market",
    "my brother usually drinks three cups of tea",
    "could you choose a good book for the journey",
    "the young girl heard a strange noise outside",
)


@pytest.fixture(scope="module")
def scorer() -> SpeechScorer:
    found = load_scorer(Settings.from_env({}), "speech", RubricName.SENTENCE, model=FOLDER)
    assert isinstance(found, SpeechScorer)
    return found


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Audio]:
    """A clear synthetic voice reading TEXTS."""
    if shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng is not installed, and the machine may not install it")
    folder = tmp_path_factory.mktemp("clips")
    found = []
    for number, text in enumerate(TEXTS):
        path = folder / f"{number}.wav"
        subprocess.run(["espeak-ng", "-v", "en-us", "-s", "140", "-w", str(path), text], check=True)
        found.append(load_audio(path))
    return found


def read(scorer: SpeechScorer, audio: Audio, text: str) -> ScoreResult:
    return score_audio(scorer, audio, Target(text, "en", RubricName.SENTENCE))


def of(samples: np.ndarray) -> Audio:
    return Audio(samples.astype(np.float32), 16_000, 16_000, 1, float(np.abs(samples).max()))


def test_it_is_complete_and_small() -> None:
    assert all((FOLDER / name).is_file() for name in FILES)
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) < 40e6
    assert load_info(FOLDER).n_recordings > 1000


def test_a_text_that_was_read_scores_and_another_does_not(scorer: SpeechScorer, clips: list[Audio]) -> None:
    own = [read(scorer, clip, text) for clip, text in zip(clips, TEXTS, strict=True)]
    other = [read(scorer, clip, text) for clip, text in zip(clips, TEXTS[1:] + TEXTS[:1], strict=True)]
    assert [result.state for result in own] == 4 * [State.SCORED]
    assert [result.state for result in other] == 4 * [State.OTHER_TEXT]
    assert all("not this text" in result.warnings[0] for result in other)
    mine, theirs = (np.mean([r.dimensions["total"] for r in found]) for found in (own, other))
    assert mine - theirs >= 4.0


def test_sentence_and_words_do_not_contradict_each_other(scorer: SpeechScorer, clips: list[Audio]) -> None:
    for clip, text in zip(clips, TEXTS, strict=True):
        for slower in (clip, of(np.repeat(clip.samples, 2)[::3] if text == TEXTS[0] else 0.3 * clip.samples)):
            result = read(scorer, slower, text)
            assert result.overall is not None
            share_right = np.mean([word.verdict is Verdict.RIGHT for word in result.words])
            if result.state is State.SCORED:
                assert result.overall >= (80.0 if share_right == 1 else 60.0 if share_right >= 2 / 3 else 0.0)


def test_every_word_is_found_in_its_place(scorer: SpeechScorer, clips: list[Audio]) -> None:
    for clip, text in zip(clips, TEXTS, strict=True):
        result = read(scorer, clip, text)
        assert [word.text for word in result.words] == text.split()
        starts = [word.start_s for word in result.words]
        assert starts == sorted(starts)
        assert 0.3 < result.words[-1].end_s <= clip.duration_s


def test_a_word_that_was_not_said_is_missed(scorer: SpeechScorer, clips: list[Audio]) -> None:
    result = read(scorer, clips[1], "my brother usually drinks three enormous cups of tea")
    assert result.state is State.SCORED
    worst = min(result.words, key=lambda word: word.score)
    assert worst.text == "enormous"


def test_a_partial_reading_is_scored_for_what_was_read(scorer: SpeechScorer, clips: list[Audio]) -> None:
    audio, text = clips[0], TEXTS[0]
    whole = read(scorer, audio, text)
    at = [round(16_000 * word.end_s) for word in whole.words]
    samples, rest = audio.samples, np.zeros(8000)
    five_read = np.r_[samples[: at[4]], rest]
    from_fourth = np.r_[rest, samples[at[2] :]]
    without_fourth = np.r_[samples[: at[2]], samples[at[3] :]]
    for cut, missing in ((five_read, [5, 6, 7, 8]), (from_fourth, [0, 1, 2]), (without_fourth, [3])):
        result = read(scorer, of(cut), text)
        assert result.state is State.SCORED
        gone = [number for number, word in enumerate(result.words) if word.verdict is Verdict.MISSING]
        assert gone == missing
        assert all(phone.verdict is Verdict.MISSING for number in gone for phone in result.words[number].phones)
        assert result.dimensions["completeness"] == pytest.approx(10 * (1 - len(missing) / 9), abs=0.01)
        assert whole.overall is not None
        assert result.overall is not None
        assert result.overall < whole.overall
        for number, word in enumerate(result.words):
            assert word.score == 0 if number in missing else word.score > whole.words[number].score - 25


def test_what_is_said_twice_or_beside_the_text_is_told(scorer: SpeechScorer, clips: list[Audio]) -> None:
    audio, text = clips[0], TEXTS[0]
    at = [round(16_000 * word.end_s) for word in read(scorer, audio, text).words]
    samples = audio.samples
    again = read(scorer, of(np.r_[samples[: at[3]], np.zeros(3000), samples[at[1] :]]), text)
    assert any("said twice" in warning for warning in again.warnings)
    assert (again.n_repeats, again.added_words) == (1, ())
    other = clips[3].samples[: round(16_000 * read(scorer, clips[3], TEXTS[3]).words[2].end_s)]
    added = read(scorer, of(np.r_[samples[: at[4]], other, samples[at[4] :]]), text)
    (told,) = (warning for warning in added.warnings if "not in the text" in warning)
    assert added.added_words[0].startswith("young")  # "young girl", before "cheese"
    assert all(word in told for word in added.added_words)
    for result in (again, added):
        assert result.state is State.SCORED
        assert not [word.text for word in result.words if word.verdict is Verdict.MISSING]


def test_a_text_read_twice_is_that_text(scorer: SpeechScorer, clips: list[Audio]) -> None:
    samples = clips[0].samples
    result = read(scorer, of(np.r_[samples, np.zeros(4000), samples]), TEXTS[0])
    assert result.state is State.SCORED
    assert result.added_words == (), "all of it is in the text"


def test_a_long_text_is_scored(scorer: SpeechScorer, clips: list[Audio]) -> None:
    result = read(scorer, of(np.concatenate([clip.samples for clip in clips])), " ".join(TEXTS))
    assert result.state is State.SCORED
    assert len(result.words) == 34
    assert sum(word.verdict is Verdict.MISSING for word in result.words) <= 1


@pytest.mark.parametrize("kind", ["white", "hum", "clicks"])
def test_noise_is_not_speech(scorer: SpeechScorer, kind: str) -> None:
    draw, seconds = np.random.default_rng(0), np.arange(48_000) / 16_000
    sound = {
        "white": 0.2 * draw.normal(size=48_000),
        "hum": 0.3 * np.sin(2 * np.pi * 120 * seconds) * (1 + 0.5 * np.sin(2 * np.pi * 3 * seconds)),
        "clicks": (draw.random(48_000) > 0.999) * 0.9,
    }[kind]
    result = read(scorer, of(sound), TEXTS[0])
    assert result.overall is None or result.overall < 30
    assert result.warnings


def test_silence_is_refused(scorer: SpeechScorer) -> None:
    assert read(scorer, of(np.zeros(48_000)), TEXTS[0]).state is State.REFUSED


def test_turkish_words_under_an_english_text_score_low(scorer: SpeechScorer) -> None:
    audio = load_audio(CHECKOUT / "data" / "demo" / "references" / "pencere.wav")
    for text in ("the market", "umbrella", "good morning"):
        result = read(scorer, audio, text)
        assert result.overall is None or result.overall < 60, (text, result.overall)


def test_a_word_outside_the_dictionary_is_guessed_and_said_so(scorer: SpeechScorer, clips: list[Audio]) -> None:
    result = read(scorer, clips[1], "my brother usually drinks three cups of teeah")
    assert any("teeah" in warning for warning in result.warnings)


@pytest.mark.shared
def test_real_speakers_nobody_trained_on(scorer: SpeechScorer) -> None:
    manifest = SHARED / "speechocean762" / "manifest.jsonl"
    if not manifest.is_file():
        pytest.skip("the real speech is not beside this checkout")
    rows = [
        row for row in map(json.loads, Path(manifest).read_text(encoding="utf-8").splitlines()) if row["part"] == "dev"
    ]
    some = rows[::84]
    own, other = [], []
    for number, row in enumerate(some):
        audio = load_audio(manifest.parent / row["audio"])
        result = read(scorer, audio, row["text"])
        own.append(0.0 if result.overall is None else result.overall / 10)
        result = read(scorer, audio, some[(number + 7) % len(some)]["text"])
        other.append(0.0 if result.overall is None else result.overall / 10)
    assert np.mean(own) - np.mean(other) >= 4.0
    released = [row["released"]["total"] for row in some]
    assert np.corrcoef(own, released)[0, 1] > 0.4


def test_the_command_line_shows_words_and_phones(clips: list[Audio], tmp_path: Path) -> None:
    import soundfile
    from click.testing import CliRunner

    from pipeline.cli.main import main

    soundfile.write(tmp_path / "clip.wav", clips[1].samples, 16_000)
    command = ["score", str(tmp_path / "clip.wav"), "--text", TEXTS[1], "--model", str(FOLDER)]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output
    lines = [line.split() for line in result.output.splitlines()]
    assert [line[0] for line in lines if line and line[0] in TEXTS[1].split()] == TEXTS[1].split()
    assert "B R AH" in result.output
