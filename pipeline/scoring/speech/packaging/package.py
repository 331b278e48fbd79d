"""From a finished training run to a model folder: ONNX graphs, and all that is chosen on the held-out speakers.

Thresholds, the match rule and the confidence are fitted on what the exported graphs answer about speakers that were
not trained on, so that what is shipped is what was measured.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import artifacts
from pipeline.errors import ModelError
from pipeline.i18n import N_, Message
from pipeline.jobs.checkpoints import load_weights
from pipeline.metrics.bootstrap import resample_weights
from pipeline.metrics.correlation import pearson
from pipeline.metrics.transcription import error_rate
from pipeline.parallel import Progress
from pipeline.quantisation import quantise_dynamic
from pipeline.runs import RunDirectory, now_iso
from pipeline.scoring.speech.free_decoding import label_prior, recognise
from pipeline.scoring.speech.frontend import frame_sound
from pipeline.scoring.speech.labels import UTTERANCE_ASPECTS, decode
from pipeline.scoring.speech.lexicon.vocabulary import load as load_vocabulary
from pipeline.scoring.speech.listening import ctc
from pipeline.scoring.speech.listening.evidence import RHYTHM, Evidence, gather_evidence
from pipeline.scoring.speech.listening.runtime import HeadOutput, ListenerOutput, SpeechRuntime
from pipeline.scoring.speech.model_files import (
    HEAD_FILE,
    LISTENER_FILE,
    RULES_FILE,
    VOCABULARY_FILE,
    Decoding,
    MatchRule,
    SpeechInfo,
    load_info,
    save_info,
)
from pipeline.scoring.speech.packaging.card import write_card
from pipeline.scoring.speech.packaging.vocabulary_building import Text, write_vocabulary
from pipeline.scoring.speech.training.augment import read_noise
from pipeline.scoring.speech.training.config import SpeechTrainConfig
from pipeline.scoring.speech.training.data import Utterance, data_hash
from pipeline.scoring.speech.training.validate import WRONG_BELOW

MATCH_FEATURES = ("free_errors", "log_prob_a_frame", "mean_own", "worst_own")
N_SHUFFLES = 2
INT8_MAY_COST = 0.005
UNQUANTISED = "listener-float.onnx"  # while both are tried out
CONFIDENT_WITHIN = 10.0  # points of 100
NEIGHBOURS = 50
DECODING_GRID = {
    "per_phone": (2.4, 2.7, 3.0, 3.3, 3.6), "per_word": (-3.0, -2.0, -1.0, 0.0), "word_weight": (0.9, 1.0, 1.1, 1.2),
    "prior_weight": (0.3, 0.45, 0.6, 0.75),
}  # fmt: skip
N_NO_SPEECH = 100


@dataclass(frozen=True)
class Tried:
    """One held-out utterance as the exported graphs answer it."""

    utterance: Utterance
    heard: ListenerOutput
    evidence: Evidence
    judged: HeadOutput


def package(
    run: RunDirectory,
    utterances: Sequence[Utterance],
    folder: Path,
    *,
    encoder: str,
    listeners: Sequence[Path],
    corpus: str,
    part: str,
    progress: Progress | None = None,
) -> SpeechInfo:
    """Write the model of `run` into `folder`; in 8-bit integers where that costs under .005 PCC at every level. `part`
    is the one of `corpus` that was found to train on, `listeners` are those on which heads were trained alone.

    Raises ModelError for a run without a finished epoch.
    """
    from pipeline.scoring.speech.training.train import BEST, FINAL, SCALE, read_scale, split_speakers

    config = SpeechTrainConfig(**run.config)
    checkpoints = run.path / "checkpoints"
    if not (checkpoints / BEST).is_file():
        raise ModelError(
            N_("The run {run} has no checkpoint yet. Let it finish, or resume it with --resume {run}."), run=run.id
        )
    train, held = split_speakers(utterances, config)
    scale = read_scale(checkpoints / SCALE)
    info = _learned_from(
        SpeechInfo(
            model_id=run.id, mean=tuple(scale["mean"]), spread=tuple(scale["spread"]), trained_on=corpus,
            part=part, seed=config.seed, averaged=config.average, created_at=now_iso(),
            git_commit=run.state.git_commit, data_hash=data_hash(utterances),
        ),
        train,
    )  # fmt: skip
    if config.listener:
        info, tried = _with_listener(listeners, config, checkpoints / BEST, info, held, folder, progress)
    else:
        info, tried = _exported(config, checkpoints / BEST, encoder, info, held, folder, progress)
    info = _with_vocabulary(folder, info, utterances, tried)
    runtime = SpeechRuntime(folder)
    match = fit_match_rule(tried, runtime, read_noise(config.noise))
    info = calibrate(replace(info, match=match, held_out={**info.held_out, **correlations(tried)}), tried)
    if config.final_on_all:
        _write_heads(config, checkpoints / FINAL, info, folder)
        info = _learned_from(info, [*train, *held])
        heard = load_info(listeners[0]).listener_speakers
        info = replace(info, heads_only=tuple(name for name in info.speakers if name not in heard))
    save_info(folder, info)
    write_card(folder, info)
    return info


def _learned_from(info: SpeechInfo, utterances: Sequence[Utterance]) -> SpeechInfo:
    speakers = tuple(sorted({f"{info.trained_on}/{u.speaker}" for u in utterances}))
    return replace(info, n_recordings=len(utterances), n_speakers=len(speakers), speakers=speakers)


def _exported(
    config: SpeechTrainConfig, weights: Path, encoder: str, info: SpeechInfo, held: Sequence[Utterance], folder: Path,
    progress: Progress | None,
) -> tuple[SpeechInfo, list[Tried]]:  # fmt: skip
    """Write listener and head; what they answer on the held-out speakers."""
    from pipeline.scoring.speech.packaging.export import export_onnx
    from pipeline.scoring.speech.training.batches import SpeechModel

    model = SpeechModel(config, encoder)
    load_weights(model, weights)
    front, shape = model.listener.encoder.front_end, model.listener.encoder.shape
    info = replace(
        info, front_end=front.kind, n_mels=front.n_mels, frames_per_s=float(shape.frames_per_s),
        n_states=shape.n_states, width=shape.width, encoder=Path(encoder).name,
    )  # fmt: skip
    listener, unquantised = folder / LISTENER_FILE, folder / UNQUANTISED
    export_onnx(model, folder)
    save_info(folder, info)
    tried = try_out(SpeechRuntime(folder), held, progress)
    full = correlations(tried)
    listener.replace(unquantised)
    quantise_dynamic(unquantised, listener)
    save_info(folder, replace(info, int8=True))
    quantised = try_out(SpeechRuntime(folder), held, progress)
    small = correlations(quantised)
    int8 = all(full[name] - small[name] < INT8_MAY_COST for name in full)
    if int8:
        tried = quantised
        unquantised.unlink()
    else:
        unquantised.replace(listener)
    check = tuple(round(float(value), 4) for value in SpeechRuntime(folder).check_values())
    return replace(info, int8=int8, check=check, held_out={"int8_cost": _largest_cost(full, small)}), tried


def _with_vocabulary(
    folder: Path, info: SpeechInfo, utterances: Sequence[Utterance], tried: Sequence[Tried]
) -> SpeechInfo:
    """Write the vocabulary of all texts but those of the held-out recordings, on which is chosen how it is searched."""
    held_texts = {t.utterance.text for t in tried}
    texts = {u.text: _words(u) for u in utterances if u.text not in held_texts}
    write_vocabulary(folder, list(texts.values()))
    log_prior = label_prior([t.heard.log_probs for t in tried])
    decoding, figures = choose_decoding(folder, tried, log_prior)
    return replace(info, log_prior=log_prior, decoding=decoding, held_out={**info.held_out, **figures})


def _with_listener(
    listeners: Sequence[Path], config: SpeechTrainConfig, weights: Path, info: SpeechInfo, held: Sequence[Utterance],
    folder: Path, progress: Progress | None,
) -> tuple[SpeechInfo, list[Tried]]:  # fmt: skip
    """Copy the first of the listeners, with all that depends on it alone, and write the heads."""
    source, *others = listeners
    folder.mkdir(parents=True, exist_ok=True)
    for name in (LISTENER_FILE, RULES_FILE):
        if (source / name).is_file():
            artifacts.write_bytes(folder / name, (source / name).read_bytes())
    known = load_info(source)
    info = replace(
        info, front_end=known.front_end, n_mels=known.n_mels, frames_per_s=known.frames_per_s,
        n_states=known.n_states, width=known.width, encoder=known.encoder, int8=known.int8, averaged=known.averaged,
        check=known.check, listener=known.listener or known.model_id,
        other_listeners=tuple(load_info(other).model_id for other in others),
        held_out={name: value for name, value in known.held_out.items() if name == "int8_cost"},
    )  # fmt: skip
    _write_heads(config, weights, info, folder)
    save_info(folder, info)
    return info, try_out(SpeechRuntime(folder), held, progress)


def _write_heads(config: SpeechTrainConfig, weights: Path, info: SpeechInfo, folder: Path) -> None:
    from pipeline.scoring.speech.packaging.export import export_head
    from pipeline.scoring.speech.training.frozen import new_heads

    heads = new_heads(config, info.width, info.n_states)
    load_weights(heads, weights)
    export_head(heads, info.width, info.n_states, folder / HEAD_FILE)


def try_out(runtime: SpeechRuntime, utterances: Sequence[Utterance], progress: Progress | None = None) -> list[Tried]:
    """Those that can be aligned with their canonical phones."""
    found: list[Tried] = []
    for number, utterance in enumerate(utterances, start=1):
        samples = utterance.audio()
        heard = runtime.listen(samples)
        evidence = _evidence(heard, samples, utterance)
        if evidence is not None:
            judged = runtime.judge(heard, utterance.spoken, utterance.stress, evidence)
            found.append(Tried(utterance, heard, evidence, judged))
        if progress is not None:
            progress(number, len(utterances), Message(N_("Trying out")))
    return found


def correlations(tried: Sequence[Tried]) -> dict[str, float]:
    """PCC by level against the references, on what the exported graphs answer."""
    sentence = np.stack([t.judged.sentence for t in tried])
    reference = np.stack([t.utterance.reference for t in tried])
    found = {name: pearson(reference[:, k], sentence[:, k]) for k, name in enumerate(UTTERANCE_ASPECTS)}
    found["phone"] = pearson(*_joined(tried, lambda t: t.utterance.phone_accuracy, lambda t: t.judged.phone))
    found["word_accuracy"] = pearson(
        *_joined(tried, lambda t: t.utterance.word_accuracy, lambda t: t.judged.word[:, 0])
    )
    return {name: 0.0 if value is None else value for name, value in found.items()}


def calibrate(info: SpeechInfo, tried: Sequence[Tried]) -> SpeechInfo:
    """Choose the thresholds and fit the confidences."""
    accuracy, wrong = _joined(tried, lambda t: t.utterance.phone_accuracy, lambda t: t.judged.wrong)
    is_wrong = accuracy < WRONG_BELOW
    speakers = [t.utterance.speaker for t in tried for _ in t.judged.wrong]
    totals = np.array([10.0 * t.judged.sentence[-1] for t in tried])
    experts = np.array([10.0 * t.utterance.reference[-1] for t in tried])
    return replace(
        info,
        wrong_from=robust_threshold(is_wrong, wrong, speakers),
        wrong_calibration=_isotonic(wrong, is_wrong),
        confidence=_confidence(totals, experts),
    )


def robust_threshold(is_wrong: NDArray[np.bool_], probability: NDArray[np.float64], speakers: Sequence[str]) -> float:
    """The middle of the thresholds whose F1 is within one standard error (over resampled speakers) of the best.

    A few speakers make most errors, so that the very best threshold on a small cut is mostly luck; the one-standard-
    error rule (Breiman et al. 1984) keeps clear of the edges. .5 where nobody is wrong.
    """
    if not is_wrong.any():
        return 0.5
    grid = np.linspace(0.05, 0.95, 91)
    names, member = np.unique(np.asarray(speakers), return_inverse=True)
    flagged = probability[:, None] >= grid
    hits, calls = (
        np.stack([part[member == n].sum(axis=0) for n in range(len(names))])
        for part in (flagged & is_wrong[:, None], flagged)
    )
    errors = np.bincount(member, weights=is_wrong, minlength=len(names))
    f1 = 2.0 * hits.sum(axis=0) / (calls.sum(axis=0) + errors.sum())
    weights = resample_weights(len(names), None)
    drawn = 2.0 * (weights @ hits) / np.maximum(1.0, weights @ calls + (weights @ errors)[:, None])
    close = grid[f1 >= f1.max() - drawn[:, f1.argmax()].std()]
    return float((close.min() + close.max()) / 2.0)


def choose_decoding(
    folder: Path, tried: Sequence[Tried], log_prior: Sequence[float]
) -> tuple[Decoding, dict[str, float]]:
    """How words are weighed so that the fewest phones are wrong, and the errors then; one weight after the other, until
    none changes any more."""
    words = load_vocabulary(folder / VOCABULARY_FILE)
    heard = [decode(t.utterance.verdict) for t in tried]
    spelled = [[word.lower() for word in t.utterance.word_texts] for t in tried]

    @cache
    def errors(how: Decoding) -> tuple[float, float]:
        found = [recognise(t.heard.log_probs, words, how, log_prior) for t in tried]
        phones = [decode([label for word in said for label in word.labels]) for said in found]
        per = error_rate(heard, phones).rate
        return per or 0.0, error_rate(spelled, [[word.text for word in said] for said in found]).rate or 0.0

    chosen, before = Decoding(), None
    while chosen != before:
        before = chosen
        for weight, values in DECODING_GRID.items():
            chosen = min((chosen, *(replace(chosen, **{weight: value}) for value in values)), key=errors)
    greedy_per = error_rate(heard, [decode(t.evidence.free) for t in tried]).rate or 0.0
    per, wer = errors(chosen)
    return chosen, {"per": per, "greedy_per": greedy_per, "wer": wer}


def fit_match_rule(tried: Sequence[Tried], runtime: SpeechRuntime, noise: Sequence[NDArray[np.float32]]) -> MatchRule:
    """Logistic regression between recordings with their own text and what is not that text: another one's text, speech
    played backwards, pink noise that comes and goes, and `noise`. Draws are seeded."""
    from sklearn.linear_model import LogisticRegression

    draw = np.random.default_rng(0)
    columns = [RHYTHM.index(name) for name in MATCH_FEATURES]
    rows: list[NDArray[np.float32]] = []
    own: list[bool] = []

    def add(heard: ListenerOutput, samples: NDArray[np.float32], text: Utterance, is_own: bool) -> None:
        found = _evidence(heard, samples, text)
        if found is not None:
            rows.append(found.rhythm[columns])
            own.append(is_own)

    for t in tried:
        samples = t.utterance.audio()
        add(t.heard, samples, t.utterance, True)
        for other in draw.choice(len(tried), N_SHUFFLES, replace=False):
            text = tried[other].utterance
            if text.text != t.utterance.text:
                add(t.heard, samples, text, False)
    for t in tried[:: max(1, len(tried) // N_NO_SPEECH)]:
        backwards = np.ascontiguousarray(t.utterance.audio()[::-1])
        for sound in (backwards, _coming_and_going(draw, noise, len(backwards))):
            heard = runtime.listen(sound)
            for other in draw.choice(len(tried), N_SHUFFLES, replace=False):
                add(heard, sound, tried[other].utterance, False)
    fitted = LogisticRegression(class_weight="balanced", C=10.0).fit(np.stack(rows), own)
    return MatchRule(MATCH_FEATURES, tuple(map(float, fitted.coef_[0])), float(fitted.intercept_[0]))


def _coming_and_going(
    draw: np.random.Generator, noise: Sequence[NDArray[np.float32]], n_samples: int
) -> NDArray[np.float32]:
    """Pink noise, or a stretch of one of `noise`, rising and falling a few times a second as syllables do."""
    if noise and draw.random() < 0.5:
        chosen = noise[int(draw.integers(len(noise)))]
        sound = np.resize(chosen[int(draw.integers(0, max(1, len(chosen) - n_samples))) :], n_samples).astype(
            np.float64
        )
    else:
        spectrum = np.fft.rfft(draw.normal(size=n_samples))
        sound = np.fft.irfft(spectrum / np.sqrt(np.arange(1, len(spectrum) + 1)), n_samples)
    seconds = np.arange(n_samples) / 16_000
    envelope = 0.55 + 0.45 * np.sin(2 * np.pi * draw.uniform(0.5, 6.0) * seconds + draw.uniform(0, 6))
    sound = sound * envelope
    return np.asarray(0.3 * sound / (np.abs(sound).max() + 1e-9), dtype=np.float32)


def _words(utterance: Utterance) -> Text:
    spoken = utterance.spoken
    return [
        (text.lower(), spoken.labels[spoken.words == number].tolist())
        for number, text in enumerate(utterance.word_texts)
    ]


def _evidence(heard: ListenerOutput, samples: NDArray[np.float32], text: Utterance) -> Evidence | None:
    if not ctc.fits(len(heard.log_probs), text.spoken.labels.tolist()):
        return None
    return gather_evidence(heard.log_probs, text.spoken, frame_sound(samples, len(heard.log_probs)))


def _joined(tried: Sequence[Tried], first: Any, second: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return np.concatenate([first(t) for t in tried]), np.concatenate([second(t) for t in tried])


def _isotonic(output: NDArray[np.float64], is_wrong: NDArray[np.bool_]) -> tuple[tuple[float, float], ...]:
    """Pairs of (output, share wrong) at 21 points, from a monotone fit."""
    from sklearn.isotonic import IsotonicRegression

    fitted = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(output, is_wrong.astype(float))
    points = np.linspace(0.0, 1.0, 21)
    return tuple((float(p), float(share)) for p, share in zip(points, fitted.predict(points), strict=True))


def _confidence(predicted: NDArray[np.float64], expert: NDArray[np.float64]) -> tuple[tuple[float, float], ...]:
    """For totals 0, 5, .. 100: of the held-out predictions nearest to it, the share within 10 points."""
    near = np.abs(predicted - expert) <= CONFIDENT_WITHIN
    k = min(NEIGHBOURS, len(predicted))
    return tuple(
        (float(point), float(near[np.argsort(np.abs(predicted - point))[:k]].mean())) for point in range(0, 101, 5)
    )


def _largest_cost(full: dict[str, float], small: dict[str, float]) -> float:
    return max(full[name] - small[name] for name in full)
