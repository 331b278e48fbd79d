"""Learn a word as the speech scorer's listener hears it from the clips that a detector was trained on.

Regressions on the listener's states at the word's phones (`word_regression`): clips of the word against phrases near it
and against other speech, clean and in noise. Near phrases in many voices are spoken here, where eSpeak NG is installed.
Clips of the word that the training held back for validation are learnt from, too: nothing is chosen on them here, and a
few recordings are too few to spare any.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline import artifacts
from pipeline.audio.voice import find_word
from pipeline.errors import CorpusError, ModelError
from pipeline.i18n import N_, NN_, Message
from pipeline.locks import locked
from pipeline.parallel import Progress
from pipeline.scoring.speech.lexicon.dictionary import LetterToSound
from pipeline.scoring.speech.lexicon.letter_to_sound import load_rules
from pipeline.scoring.speech.listening.runtime import ListenerOutput, ListenerRuntime
from pipeline.scoring.speech.model_files import LISTENER_FILE
from pipeline.scoring.speech.placing import at_one_level
from pipeline.settings import Settings
from pipeline.wakeword.data.clips import Clip, Label
from pipeline.wakeword.data.decoded_clips import load_clip
from pipeline.wakeword.data.noise import coloured, loudest_energy, mixed, read_noise, stretch_of
from pipeline.wakeword.data.speaking import near_in_many_voices, texts_in
from pipeline.wakeword.data.splits import read_manifest
from pipeline.wakeword.data.spoken_word import same_letters, spoken_words
from pipeline.wakeword.evaluation.evaluate import one_thread
from pipeline.wakeword.evaluation.judged_stream import first_threshold
from pipeline.wakeword.evaluation.stream_metrics import score_stream
from pipeline.wakeword.features import RATE_HZ
from pipeline.wakeword.file_names import SPLIT_FOLDER
from pipeline.wakeword.finished_run import FinishedRun, classifier_for, config_of, held_stream
from pipeline.wakeword.learnt_word import LearntFrom, LearntWord, save_learnt_word, states_of
from pipeline.wakeword.learnt_word import ways_of_one_length as of_one_length
from pipeline.wakeword.phones import english_word, listener_folder, shared_phones, ways_of
from pipeline.wakeword.runtime.runner import JUDGED_S, best_place
from pipeline.wakeword.training.word_regression import SHARES, Example, fitted

Samples = NDArray[np.float32]
Hear = Callable[[Samples], ListenerOutput]
AFTER = round(0.2 * RATE_HZ)  # samples after the word, about what a detector waits for
HEARD = round(JUDGED_S * RATE_HZ)
MOST_CLIPS = {"recordings": 100, "synthetic": 300, "near": 200, "other": 1000}
# The first of several is without noise.
VARIANTS = {"recordings": 6, "synthetic": 3, "near": 3, "spoken near": 2, "other": 1}
NEAR_PHRASES, NEAR_VOICES = 60, 12  # that are spoken here
SNR_DB = (3.0, 25.0)
HEARD_AT_ALL = -6.0  # nats per phone, in other speech: what has less of the word is never asked about


def learn_word(settings: Settings, run: FinishedRun, word: str, progress: Progress | None = None) -> LearntWord:
    """From the clips of a run, kept in its model folder. Raises ModelError where the listener is missing, or somebody
    else is learning a word of the run, CorpusError for no English word, where the run has no clips of the word or none
    of anything else, or they are gone."""
    busy = Message(N_("{run} is learning a word for its judge already. Wait until that has ended."), run=run.home.name)
    with locked(settings, run.folder, ModelError, within_s=0.0, busy=busy):
        run.require_writable()
        return _learnt(settings, run, word, progress)


def _learnt(settings: Settings, run: FinishedRun, word: str, progress: Progress | None) -> LearntWord:
    word, source = english_word(word), listener_folder(settings)
    rules = load_rules(source)
    ways = of_one_length(ways_of(word, rules))
    clips = _clips_of(run, word)
    config = config_of(run)
    noise = read_noise(config.data.noise)
    listener = ListenerRuntime(source)
    draw = np.random.default_rng(config.seed)
    texts = _texts_of(clips["near"])
    sounds: list[tuple[str, str, Path | Samples]] = [
        (kind, texts.get(path, ""), path) for kind, paths in clips.items() for path in paths
    ]
    spoken = near_in_many_voices(word, NEAR_PHRASES, NEAR_VOICES, draw)
    sounds += [("spoken near", phrase, sound) for phrase, sound in spoken]
    shared = {text: _shared_phones(ways, text, rules) for _kind, text, _sound in sounds if text}
    examples: dict[str, list[Example]] = {kind: [] for kind in SHARES}
    for number, (kind, text, given) in enumerate(sounds, start=1):
        sound = load_clip(given) if isinstance(given, Path) else given
        for variant in range(VARIANTS[kind]):
            snr_db = None if variant == 0 and kind != "other" else float(draw.uniform(*SNR_DB))
            stretch = _stretch(sound, kind != "other", draw)
            heard = listener.listen(at_one_level(_in_noise(stretch, snr_db, noise, draw)))
            place = best_place(heard.log_probs, ways)
            if place is not None and (kind != "other" or place.score > HEARD_AT_ALL):
                examples[kind].append(Example(states_of(heard, place), shared.get(text)))
        if progress is not None:
            progress(number, len(sounds), Message(N_("learning the word for its judge of phones")))
    counts = {kind: len(paths) for kind, paths in clips.items()}
    learnt_from = LearntFrom(**counts | {"near": counts["near"] + len(spoken), "other": len(examples["other"])})
    learnt = LearntWord(
        word, ways, fitted(examples), learnt_from, artifacts.sha256_of(source / LISTENER_FILE), first_threshold_of(run)
    )
    save_learnt_word(run.folder, learnt)
    return learnt


def first_threshold_of(run: FinishedRun) -> float | None:
    """From which on the detector asks: for FIRST_FAH false alarms per hour on a stream of the run's validation clips.
    The curve of its bundle ends far below that rate. None for a detector of several words, which no judge is asked
    about, and without a split."""
    info = run.info
    plan = None if info.words else held_stream(run)
    if plan is None:
        return None
    with one_thread():
        scores = score_stream(plan, classifier_for(run), info.features, info.detector.hop_s)
    return first_threshold(scores, info.detector)


def _texts_of(paths: Sequence[Path]) -> dict[Path, str]:
    """What the spoken ones of some clips say; what recordings say, nobody has written down."""
    folders = {path.parents[2] for path in paths if len(path.parents) > 2}
    return {folder / name: text for folder in folders for name, text in texts_in(folder).items()}


def _shared_phones(ways: Sequence[Sequence[int]], phrase: str, rules: LetterToSound | None) -> NDArray[np.bool_] | None:
    try:
        return shared_phones(ways, phrase, rules)
    except CorpusError:  # a phrase of another language
        return None


def _clips_of(run: FinishedRun, word: str) -> dict[str, list[Path]]:
    """Of each kind, at most MOST_CLIPS."""
    split = run.home / SPLIT_FOLDER
    if not split.is_dir():
        raise CorpusError(
            N_("{run} does not say which clips it was trained on: learn the word where it was trained."),
            run=run.home.name,
        )
    root, assigned = read_manifest(split)
    trained = [one.clip for one in assigned if one.part == "train"]
    held = [one.clip for one in assigned if one.part == "validation"]

    def is_word(clip: Clip) -> bool:
        return clip.label is Label.POSITIVE and clip.word.casefold() in ("", word.casefold())

    positives = [clip for clip in [*trained, *held] if clip.label is Label.POSITIVE]
    words = [clip for clip in positives if is_word(clip)]
    _check_word(run, word, words, {clip.word for clip in positives}, root)
    kinds: dict[str, Sequence[Clip]] = {
        "recordings": [clip for clip in words if not clip.synthetic],
        "synthetic": [clip for clip in words if clip.synthetic],
        "near": [clip for clip in trained if clip.label is Label.HARD_NEGATIVE],
        "other": [clip for clip in trained if not is_word(clip) and clip.label is not Label.HARD_NEGATIVE],
    }
    draw = np.random.default_rng(0)
    chosen: dict[str, list[Path]] = {}
    for kind, some in kinds.items():
        order = draw.permutation(len(some))[: MOST_CLIPS[kind]]
        chosen[kind] = [root / some[i].path for i in sorted(order)]
    gone = [path for paths in chosen.values() for path in paths if not path.is_file()]
    if gone:
        raise CorpusError(
            NN_(
                "{n} training clip of {run} is gone, {first}. Put it back.",
                "{n} training clips of {run} are gone, e.g. {first}. Put them back.",
            ),
            n=len(gone),
            run=run.home.name,
            first=str(gone[0]),
        )
    return chosen


def _check_word(run: FinishedRun, word: str, clips: Sequence[Clip], known: set[str], root: Path) -> None:
    """Raises CorpusError for a word that a run of several (`known`) was not trained on, or where the spoken ones of the
    clips are of another. What recordings say, nobody has written down; and a word of another language is spelled
    differently for an English listener."""
    if not clips:
        others = ", ".join(map(repr, sorted(known)))
        raise CorpusError(
            N_("{run} was not trained on {word!r}. Its words: {others}. Name one of them."),
            run=run.home.name,
            word=word,
            others=others,
        )
    for said, language in spoken_words(root, clips):
        if language.startswith("en") and not same_letters(said, word):
            raise CorpusError(
                N_("The clips that {run} was trained on say {said!r}, not {word!r}. Learn {said!r} instead."),
                run=run.home.name,
                said=said,
                word=word,
            )


def other_words(run: FinishedRun, word: str) -> tuple[str, ...]:
    """Which words the clips of a run are said to be of, if not of `word`: what was spoken in other languages, and the
    one that the run was given. They may be the same, spelled for an English listener."""
    root, assigned = read_manifest(run.home / SPLIT_FOLDER)
    clips = [one.clip for one in assigned if one.clip.label is Label.POSITIVE and not one.clip.word]
    known = [said for said, _language in spoken_words(root, clips)] or [config_of(run).word if clips else ""]
    return tuple(said for said in known if said and not same_letters(said, word))


def _stretch(sound: Samples, is_word: bool, draw: np.random.Generator) -> Samples:
    """What a judge is asked about: up to shortly after the word, or anywhere in other speech."""
    if is_word:
        _start, end = find_word(sound)
        return np.pad(sound, (HEARD, AFTER))[end + AFTER : HEARD + end + AFTER]
    padded = np.pad(sound, (HEARD // 2, AFTER))
    first = int(draw.integers(max(1, len(padded) - HEARD)))
    return padded[first : first + HEARD]


def _in_noise(sound: Samples, snr_db: float | None, noise: Sequence[Samples], draw: np.random.Generator) -> Samples:
    """Half of the time coloured noise, else a recorded one, where there are any."""
    if snr_db is None:
        return sound
    recorded = bool(noise) and draw.random() < 0.5
    bed = (
        stretch_of(noise[int(draw.integers(len(noise)))], len(sound), draw)
        if recorded
        else coloured(len(sound), float(draw.uniform(0.0, 2.0)), draw)
    )
    return np.asarray(mixed(sound, bed, snr_db, loudest_energy(sound)), dtype=np.float32)
