"""A judge of English words that needs no training: whether the speech scorer's listener hears the word's phones."""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ModelError
from pipeline.scoring.speech.lexicon.letter_to_sound import load_rules
from pipeline.scoring.speech.listening.runtime import ListenerRuntime
from pipeline.scoring.speech.model_files import find_speech_model
from pipeline.scoring.speech.placing import at_one_level
from pipeline.settings import Settings
from pipeline.wakeword.cascade import Verify, phone_verifier
from pipeline.wakeword.phones import ways_of, word_score

# Of the nats per phone and the detector's log odds together: no false alarm in .6 hours of held-out training speech and
# noise came within half a nat of it.
LIMIT = -2.0
PER_SENSITIVITY = 2.0  # that the limit falls from sensitivity 0 to 1
FIRST_FAH = 200.0  # false alarms per hour of the detector that asks: what it misses, nobody judges


class PhoneJudge:
    """How surely a word is in a sound. Raises ModelError where the released listener is missing, CorpusError for a word
    that cannot be pronounced."""

    def __init__(self, settings: Settings, word: str) -> None:
        folder = find_speech_model(settings)
        if folder is None:
            raise ModelError("Judging by phones needs the released listener of English, models/speech-en.")
        self.word = word
        self.ways = ways_of(word, load_rules(folder))
        self._folder = folder

    @cached_property
    def _listener(self) -> ListenerRuntime:
        return ListenerRuntime(self._folder)

    def verifier(self, sensitivity: float = 0.5) -> Verify:
        """For `Cascade` and `listen`; the limit is `LIMIT` at the sensitivity .5."""
        return phone_verifier(self, LIMIT + PER_SENSITIVITY * (0.5 - sensitivity), self.word)

    def __call__(self, samples: NDArray[np.float32]) -> float:
        """Of sound at 16 kHz, at least .1 s: nats per phone, 0 for the word and nothing but."""
        log_probs = self._listener.listen(at_one_level(samples)).log_probs
        return max(word_score(log_probs, labels) for labels in self.ways)
