"""What a speech scorer learns from: utterances with their canonical phones, what the experts heard, and their scores.

Of an imported set or a manifest whose words have phones with scores, as speechocean762 has them.
"""

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.load import TARGET_RATE_HZ, load_audio
from pipeline.audio.speech import speech_only
from pipeline.corpus.readers.items import CorpusItem
from pipeline.corpus.sets import in_part
from pipeline.corpus.transcriptions import has_phone_scores, word_hearings
from pipeline.errors import TrainingError
from pipeline.i18n import N_, Message
from pipeline.labels.corpus_source import CorpusSource
from pipeline.parallel import Progress
from pipeline.records import RubricName
from pipeline.scoring.speech.labels import INDEX, UTTERANCE_ASPECTS, WORD_ASPECTS
from pipeline.scoring.speech.lexicon.dictionary import spoken_of
from pipeline.scoring.speech.listening.evidence import CanonicalPhones
from pipeline.scoring.speech.placing import LONGEST_S, placed


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
    source: CorpusSource,
    part: str,
    *,
    progress: Progress | None = None,
    check_stop: Callable[[], None] | None = None,
) -> list[Utterance]:
    """Every utterance of `part` (all for "") with canonical phones, phone scores and sentence scores.

    Raises CorpusError for a part that is not there, and TrainingError where no utterance has what training needs.
    """
    chosen = [item for item in source.of_part(part) if can_teach(item)]
    found: list[Utterance] = []
    for number, item in enumerate(chosen, start=1):
        if check_stop is not None:
            check_stop()
        found.append(_utterance(source, item))
        if progress is not None:
            progress(number, len(chosen), Message(N_("Reading recordings")))
    if not found:
        raise TrainingError(
            N_(
                "{title} has no utterance{in_part} with 'words' (phones and their scores) and sentence scores, so a "
                "speech scorer cannot be trained on it. speechocean762 has both."
            ),
            title=source.title,
            in_part=in_part(part),
        )
    return [u for u in found if len(u.samples) <= LONGEST_S * TARGET_RATE_HZ]


def can_teach(item: CorpusItem) -> bool:
    """Whether the words have scores of their own and of their phones, and the sentence has scores."""
    words = [word for word in item.extra.get("words") or [] if word.get("phones")]
    of_words = all(has_phone_scores(word) and all(aspect in word for aspect in WORD_ASPECTS) for word in words)
    return bool(words) and of_words and all(aspect in (item.released or item.median) for aspect in UTTERANCE_ASPECTS)


def data_hash(utterances: Sequence[Utterance]) -> str:
    digest = hashlib.sha256()
    for utterance in utterances:
        digest.update(utterance.key.encode())
        digest.update(utterance.samples.tobytes())
        digest.update(utterance.phone_accuracy.tobytes() + utterance.mean.tobytes())
    return digest.hexdigest()[:16]


def _utterance(source: CorpusSource, item: CorpusItem) -> Utterance:
    audio = speech_only(load_audio(source.path_of(item)), RubricName.SENTENCE)
    samples = placed(audio.samples).samples  # as the scorer hears it
    words = [word for word in item.extra["words"] if word["phones"]]
    hearings = [word_hearings(word) for word in words]
    spoken, stress = spoken_of([word["phones"] for word in words])
    n_experts = min(len(experts) for _, experts, _ in hearings)
    heard = [
        tuple(INDEX[p] for _, experts, _ in hearings for p in experts[number].sequence()) for number in range(n_experts)
    ]
    verdict = tuple(INDEX[p] for _, _, common in hearings for p in common.sequence())
    released = item.released or item.median
    wrong = [
        float(np.mean([expert.phones[i] != phone for expert in experts or [common]]))
        for canonical, experts, common in hearings
        for i, phone in enumerate(canonical)
    ]
    return Utterance(
        key=str(item.extra.get("id") or item.audio),
        samples=np.clip(np.round(samples * 32768.0), -32768, 32767).astype(np.int16),
        speaker=item.speaker,
        text=item.text,
        spoken=spoken,
        stress=stress,
        phone_accuracy=np.array([v for word in words for v in word["phones_accuracy"]], dtype=np.float32),
        wrong_share=np.array(wrong, dtype=np.float32),
        word_texts=tuple(str(word["text"]) for word in words),
        word_scores=np.array([[np.mean(w[aspect]) for aspect in WORD_ASPECTS] for w in words], dtype=np.float32),
        word_accuracy=np.array([np.median(word["accuracy"]) for word in words], dtype=np.float32),
        mean=np.array([_mean(item, aspect) for aspect in UTTERANCE_ASPECTS], dtype=np.float32),
        reference=np.array([released[aspect] for aspect in UTTERANCE_ASPECTS], dtype=np.float32),
        heard=tuple(heard) or (verdict,),
        verdict=verdict,
        verdict_phones=tuple(phone for _, _, common in hearings for phone in common.phones),
        extra={key: item.extra[key] for key in ("age", "gender") if key in item.extra},
    )


def _mean(item: CorpusItem, aspect: str) -> float:
    """Of the experts, else the released score."""
    given = [value for value in item.experts.get(aspect, []) if not math.isnan(value)]
    return float(np.mean(given)) if given else (item.released or item.median)[aspect]
