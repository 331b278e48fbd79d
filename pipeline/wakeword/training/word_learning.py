"""Learn a word as the speech scorer's listener hears it from the clips that a detector was trained on.

A logistic regression on the listener's states at the word's phones: clips of the word against phrases near it and
against other speech, clean and in noise, each kind with a weight of its own. Clips of the word that the training held
back for validation are learnt from, too: nothing is chosen on them here, and a few recordings are too few to spare any.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline import artifacts
from pipeline.audio.voice import find_word
from pipeline.errors import CorpusError
from pipeline.parallel import Progress
from pipeline.scoring.speech.lexicon.letter_to_sound import load_rules
from pipeline.scoring.speech.listening.runtime import ListenerOutput, ListenerRuntime
from pipeline.scoring.speech.model_files import LISTENER_FILE
from pipeline.scoring.speech.placing import at_one_level
from pipeline.settings import Settings
from pipeline.wakeword.cascade import VERIFIED_S
from pipeline.wakeword.data.clips import Clip, Label
from pipeline.wakeword.data.decoded_clips import load_clip
from pipeline.wakeword.data.noise import coloured, loudest_energy, mixed, read_noise, stretch_of
from pipeline.wakeword.data.speaking import spoken_word
from pipeline.wakeword.data.splits import read_manifest
from pipeline.wakeword.evaluation.evaluate import one_thread
from pipeline.wakeword.evaluation.judged_stream import first_threshold
from pipeline.wakeword.evaluation.stream_metrics import score_stream
from pipeline.wakeword.features import RATE_HZ
from pipeline.wakeword.file_names import SPLIT_FOLDER
from pipeline.wakeword.finished_run import FinishedRun, classifier_for, config_of, held_stream
from pipeline.wakeword.learnt_word import LearntFrom, LearntWord, best_place, save_learnt_word, states_at
from pipeline.wakeword.learnt_word import ways_of_one_length as of_one_length
from pipeline.wakeword.phones import english_word, listener_folder, ways_of

Samples = NDArray[np.float32]
Hear = Callable[[Samples], ListenerOutput]
AFTER = round(0.2 * RATE_HZ)  # samples after the word, about what a detector waits for
HEARD = round(VERIFIED_S * RATE_HZ)
MOST_CLIPS = {"recordings": 100, "synthetic": 300, "near": 200, "other": 1000}
VARIANTS = {"recordings": 6, "synthetic": 3, "near": 3, "other": 1}  # the first of several is without noise
# Each kind's share of the loss, whatever the number of its clips: other speech is what a detector hears most.
SHARES = {"recordings": 1.0, "synthetic": 1.0, "near": 3.0, "other": 4.0}
SNR_DB = (3.0, 25.0)
HEARD_AT_ALL = -6.0  # nats per phone, in other speech: what has less of the word is never asked about
STRENGTH = 0.003  # of the regression's regularisation, its inverse as in scikit-learn


def learn_word(settings: Settings, run: FinishedRun, word: str, progress: Progress | None = None) -> LearntWord:
    """From the clips of a run, kept in its model folder. Raises ModelError where the listener is missing,
    CorpusError for no English word, where the run has no clips of the word or none of anything else, or they are
    gone."""
    word, source = english_word(word), listener_folder(settings)
    ways = of_one_length(ways_of(word, load_rules(source)))
    clips = _clips_of(run, word)
    config = config_of(run)
    noise = read_noise(config.data.noise)
    listener = ListenerRuntime(source)
    draw = np.random.default_rng(config.seed)
    total = sum(len(paths) for paths in clips.values())
    states: dict[str, list[NDArray[np.float32]]] = {kind: [] for kind in clips}
    n_done = 0
    for kind, paths in clips.items():
        for path in paths:
            sound = load_clip(path)
            for variant in range(VARIANTS[kind]):
                snr_db = None if variant == 0 and kind != "other" else float(draw.uniform(*SNR_DB))
                stretch = _stretch(sound, kind != "other", draw)
                heard = listener.listen(at_one_level(_in_noise(stretch, snr_db, noise, draw)))
                place = best_place(heard.log_probs, ways)
                if place is not None and (kind != "other" or place.score > HEARD_AT_ALL):
                    states[kind].append(states_at(heard, place).ravel())
            n_done += 1
            if progress is not None:
                progress(n_done, total, "listening")
    mean, weights, bias = fitted(states)
    learnt_from = LearntFrom(**{kind: len(paths) for kind, paths in clips.items()} | {"other": len(states["other"])})
    learnt = LearntWord(
        word, ways, mean, weights, bias, learnt_from, artifacts.sha256_of(source / LISTENER_FILE),
        first_threshold_of(run),
    )  # fmt: skip
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


def fitted(
    states: dict[str, list[NDArray[np.float32]]],
) -> tuple[NDArray[np.float32], NDArray[np.float32], float]:
    """Mean and weights [n_features] and bias, from vectors [n_features] of each kind of SHARES. Raises CorpusError
    where a side has none."""
    from sklearn.linear_model import LogisticRegression

    of_kinds = {kind: vectors for kind, vectors in states.items() if vectors}
    sides = [[kind in ("recordings", "synthetic")] * len(vectors) for kind, vectors in of_kinds.items()]
    truth = np.concatenate([np.array(side, dtype=bool) for side in sides]) if sides else np.zeros(0, dtype=bool)
    if truth.all() or not truth.any():
        raise CorpusError(
            f"A word is learnt from clips of it and others in which something like it is heard; there are "
            f"{int(truth.sum())} and {int((~truth).sum())}."
        )
    inputs = np.concatenate([np.stack(vectors) for vectors in of_kinds.values()])
    share = np.concatenate([np.full(len(vectors), SHARES[kind] / len(vectors)) for kind, vectors in of_kinds.items()])
    mean, spread = inputs.mean(axis=0), inputs.std(axis=0) + 1e-6
    model = LogisticRegression(C=STRENGTH, max_iter=300)
    model.fit((inputs - mean) / spread, truth, sample_weight=share * len(share) / share.sum())
    return mean, (model.coef_[0] / spread).astype(np.float32), float(model.intercept_[0])


def _clips_of(run: FinishedRun, word: str) -> dict[str, list[Path]]:
    """Of each kind, at most MOST_CLIPS."""
    split = run.home / SPLIT_FOLDER
    if not split.is_dir():
        raise CorpusError(
            f"{run.home.name} does not say which clips it was trained on: learn the word where it was trained."
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
        raise CorpusError(f"{len(gone)} training clips of {run.home.name} are gone, e.g. {gone[0]}. Put them back.")
    return chosen


def _check_word(run: FinishedRun, word: str, clips: Sequence[Clip], known: set[str], root: Path) -> None:
    """Raises CorpusError for a word that a run of several (`known`) was not trained on, or where the spoken ones of the
    clips are of another. What recordings say, nobody has written down; and a word of another language is spelled
    differently for an English listener."""
    if not clips:
        others = ", ".join(map(repr, sorted(known)))
        raise CorpusError(f"{run.home.name} was not trained on {word!r}. Its words: {others}. Name one of them.")
    folders = {
        (root / clip.path).parents[2] for clip in clips if clip.synthetic and len((root / clip.path).parents) > 2
    }
    for said, language in sorted(map(spoken_word, folders)):
        if language.startswith("en") and _letters(said) != _letters(word):
            raise CorpusError(
                f"The clips that {run.home.name} was trained on say {said!r}, not {word!r}. Learn {said!r} instead."
            )


def _letters(word: str) -> str:
    return "".join(sign for sign in word.casefold() if sign.isalnum())


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
