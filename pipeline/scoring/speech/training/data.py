"""What a speech scorer learns from: utterances with their canonical phones, what the experts heard, and their scores.

Read from a manifest of the form of `shared/data/speechocean762`; a set that was imported from one goes by its name.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import jsonl
from pipeline.audio.load import load_audio
from pipeline.audio.speech import speech_only
from pipeline.corpus.sets import confined
from pipeline.corpus.transcriptions import word_hearings
from pipeline.errors import CorpusError, TrainingError
from pipeline.parallel import Progress
from pipeline.records import RubricName
from pipeline.scoring.speech.labels import INDEX, UTTERANCE_ASPECTS, WORD_ASPECTS
from pipeline.scoring.speech.lexicon.dictionary import spoken_of
from pipeline.scoring.speech.listening.evidence import CanonicalPhones

MAX_TRAINING_S = 30.0


@dataclass(frozen=True)
class Utterance:
    """One recording with all that is known about it.

    `samples` int16 [n] at 16 kHz. `phone_accuracy` [L] mean of the experts, 0-2; `wrong_share` [L] the share of
    experts who heard another phone or none. `word_scores` [n_words, 3] means of the experts, 0-10; `word_accuracy`
    [n_words] their median. `mean` and `reference` [4] are sentence scores 0-10: the mean of the experts to learn from,
    the released scores, else the median, to report against. `heard` holds the label sequence of each expert,
    `verdict` the common one, and `verdict_phones` the same set against the canonical phones.
    """

    key: str
    samples: NDArray[np.int16]
    speaker: str
    text: str
    spoken: CanonicalPhones
    stress: NDArray[np.int64]
    phone_accuracy: NDArray[np.float32]
    wrong_share: NDArray[np.float32]
    word_texts: tuple[str, ...]
    word_scores: NDArray[np.float32]
    word_accuracy: NDArray[np.float32]
    mean: NDArray[np.float32]
    reference: NDArray[np.float32]
    heard: tuple[tuple[int, ...], ...]
    verdict: tuple[int, ...]
    verdict_phones: tuple[str, ...]
    extra: dict[str, Any]

    def audio(self) -> NDArray[np.float32]:
        return self.samples.astype(np.float32) / 32768.0


def read_utterances(
    manifest: Path,
    part: str,
    *,
    progress: Progress | None = None,
    check_stop: Callable[[], None] | None = None,
) -> list[Utterance]:
    """Every utterance of `part` (all for "") with canonical phones, phone scores and sentence scores.

    Raises CorpusError for an unreadable manifest and TrainingError where no line has what training needs.
    """
    try:
        rows = list(jsonl.read(manifest))
    except (OSError, ValueError) as error:
        raise CorpusError(f"The manifest {manifest} cannot be read: {error}.") from error
    chosen = [row for row in rows if part in ("", row.get("part")) and row.get("words") and row.get("experts")]
    found: list[Utterance] = []
    for number, row in enumerate(chosen, start=1):
        if check_stop is not None:
            check_stop()
        found.append(_utterance(row, manifest.parent))
        if progress is not None:
            progress(number, len(chosen), "Reading recordings")
    if not found:
        raise TrainingError(
            f"{manifest} has no utterance{f' in part {part!r}' if part else ''} with 'words' (phones and their scores) "
            f"and 'experts', so a speech scorer cannot be trained on it. speechocean762 has both."
        )
    return [u for u in found if len(u.samples) <= MAX_TRAINING_S * 16_000]


def data_hash(utterances: Sequence[Utterance]) -> str:
    digest = hashlib.sha256()
    for utterance in utterances:
        digest.update(utterance.key.encode())
        digest.update(utterance.samples.tobytes())
        digest.update(utterance.phone_accuracy.tobytes() + utterance.mean.tobytes())
    return digest.hexdigest()[:16]


def _utterance(row: dict[str, Any], root: Path) -> Utterance:
    audio = speech_only(load_audio(confined(root, row["audio"])), RubricName.SENTENCE)
    words = [word for word in row["words"] if word["phones"]]
    hearings = [word_hearings(word) for word in words]
    spoken, stress = spoken_of([word["phones"] for word in words])
    n_experts = min(len(experts) for _, experts, _ in hearings)
    heard = [
        tuple(INDEX[p] for _, experts, _ in hearings for p in experts[number].sequence()) for number in range(n_experts)
    ]
    verdict = tuple(INDEX[p] for _, _, common in hearings for p in common.sequence())
    released = row.get("released") or row["median"]
    wrong = [
        float(np.mean([expert.phones[i] != phone for expert in experts])) if experts else 0.0
        for canonical, experts, _ in hearings
        for i, phone in enumerate(canonical)
    ]
    return Utterance(
        key=str(row.get("id") or row["audio"]),
        samples=np.clip(np.round(audio.samples * 32768.0), -32768, 32767).astype(np.int16),
        speaker=str(row["speaker"]),
        text=str(row["text"]),
        spoken=spoken,
        stress=stress,
        phone_accuracy=np.array([v for word in words for v in word["phones_accuracy"]], dtype=np.float32),
        wrong_share=np.array(wrong, dtype=np.float32),
        word_texts=tuple(str(word["text"]) for word in words),
        word_scores=np.array([[np.mean(w[aspect]) for aspect in WORD_ASPECTS] for w in words], dtype=np.float32),
        word_accuracy=np.array([np.median(word["accuracy"]) for word in words], dtype=np.float32),
        mean=np.array([np.mean(row["experts"][aspect]) for aspect in UTTERANCE_ASPECTS], dtype=np.float32),
        reference=np.array([released[aspect] for aspect in UTTERANCE_ASPECTS], dtype=np.float32),
        heard=tuple(heard) or (verdict,),
        verdict=verdict,
        verdict_phones=tuple(phone for _, _, common in hearings for phone in common.phones),
        extra={key: row[key] for key in ("age", "gender") if key in row},
    )
