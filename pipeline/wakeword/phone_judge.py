"""A judge of English words: whether the speech scorer's listener hears the word's phones, and where clips of the word
have been learnt from (`learnt_word`), whether they sound to it as they did there."""

from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline import artifacts
from pipeline.errors import ModelError
from pipeline.i18n import N_, Message
from pipeline.scoring.speech.lexicon.letter_to_sound import load_rules
from pipeline.scoring.speech.listening.ctc import NEVER
from pipeline.scoring.speech.listening.runtime import ListenerRuntime
from pipeline.scoring.speech.model_files import LISTENER_FILE
from pipeline.scoring.speech.placing import at_one_level
from pipeline.settings import Settings
from pipeline.wakeword.cascade import Verify, phone_verifier
from pipeline.wakeword.learnt_word import LEARN_AGAIN, LearntFrom, LearntWord, read_learnt_word
from pipeline.wakeword.phones import english_word, listener_folder, ways_of
from pipeline.wakeword.runtime.runner import LIMIT_PER_SENSITIVITY, best_place

# Of the score and the detector's log odds together: no false alarm in .6 hours of held-out training speech and noise
# came within half a nat of it.
LIMIT = -2.0
# Of a learnt word, by whether recordings were among its clips: what nats per phone and the learnt logit weigh beside
# the log odds, and the limit. Of synthetic clips alone too little is learnt of how people say the word, so that the
# phones of the dictionary count; beside recordings they only let more near phrases through. All were chosen on 120
# recordings, .6 hours of other speech and 372 near phrases that nothing was learnt from, with the limit as above.
PHONES_WEIGHT, LEARNT_WEIGHT, LEARNT_LIMIT = {True: 0.0, False: 1.0}, {True: 1.0, False: 0.5}, {True: 1.5, False: -4.4}


class PhoneJudge:
    """How surely a word is in a sound. `folder`, a model's or a bundle's, may hold the learnt word. Raises ModelError
    where the released listener is missing or is not the one that the word was learnt with, CorpusError for no
    English word."""

    def __init__(self, settings: Settings, word: str, folder: Path | None = None) -> None:
        word, source = english_word(word), listener_folder(settings)
        self.word, self.source = word, source
        self.learnt: LearntWord | None = None if folder is None else read_learnt_word(folder, word)
        if self.learnt is not None and artifacts.sha256_of(source / LISTENER_FILE) != self.learnt.listener_sha256:
            raise ModelError(
                N_("{word!r} was learnt with another listener than that in {source}. {advice}"),
                word=word,
                source=str(source),
                advice=Message(LEARN_AGAIN),
            )
        self.ways = ways_of(word, load_rules(source)) if self.learnt is None else self.learnt.ways

    @cached_property
    def _listener(self) -> ListenerRuntime:
        return ListenerRuntime(self.source)

    @property
    def learnt_from(self) -> LearntFrom | None:
        """None where the word has not been learnt: by the dictionary alone."""
        return None if self.learnt is None else self.learnt.learnt_from

    @property
    def limit(self) -> float:
        """That score and log odds together reach at sensitivity .5."""
        return LIMIT if self.learnt is None else LEARNT_LIMIT[self.learnt.learnt_from.recordings > 0]

    def asked_from(self, threshold: float | None = None) -> float | None:
        """The detector's threshold (logits) with this judge: the one given, else the low one that was counted when the
        word was learnt; None where there is neither."""
        return self.learnt.first_threshold if threshold is None and self.learnt is not None else threshold

    @property
    def weights(self) -> tuple[float, float]:
        """Of nats per phone and of the learnt logit, beside the detector's log odds."""
        if self.learnt is None:
            return 1.0, 0.0
        kind = self.learnt.learnt_from.recordings > 0
        return PHONES_WEIGHT[kind], LEARNT_WEIGHT[kind]

    def verifier(self, sensitivity: float = 0.5) -> Verify:
        """For `Cascade` and `listen`."""
        return phone_verifier(self, self.limit + LIMIT_PER_SENSITIVITY * (0.5 - sensitivity), self.word)

    def __call__(self, samples: NDArray[np.float32]) -> float:
        """Of sound at 16 kHz, at least .1 s: nats per phone, 0 for the word and nothing but; of a learnt word, the two
        as they are weighted."""
        heard = self._listener.listen(at_one_level(samples))
        place = best_place(heard.log_probs, self.ways)
        if place is None:
            return NEVER
        of_phones, of_learnt = self.weights
        learnt = 0.0 if self.learnt is None else self.learnt.logit(heard, place)
        return of_phones * place.score + of_learnt * learnt
