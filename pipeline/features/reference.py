"""A word beside its reference recording: how it lies over it, and whether another word lies nearer.

Unlike the 57 features these know which word was to be said. They need a reference recording of it, and others of other
words to tell them apart; where there is no reference there are no features.
"""

import math

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.check import check_audio
from pipeline.audio.load import Audio
from pipeline.corpus.references import find_references
from pipeline.errors import FeatureError
from pipeline.features.alignment import References, match_word, speech_part, stamp
from pipeline.features.base import EXTRACTORS
from pipeline.i18n import N_
from pipeline.records import Target
from pipeline.settings import Settings
from pipeline.text.words import text_key

MOST_DISTANCE_DB = 100.0
CLEAN_SNR_DB = 60.0  # where there is no pause to measure noise in

FEATURE_NAMES = (
    "reference_distance_db", "other_word_margin_db", "stretch", "length_octaves", "length_octaves_off",
    "level_difference_db", "pitch_difference_semitones", "snr_db", "clipped_share",
)  # fmt: skip


class Reference:
    name = "reference"
    version = "4"
    feature_names = FEATURE_NAMES
    knows_words = True
    description = "9 measures of how a word lies over its reference recording; needs one for each word"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._references = References(settings)

    def extract(self, audio: Audio, target: Target) -> NDArray[np.float32]:
        references = self._references.of_language(target.language)
        word = text_key(target.text, target.language)
        if word not in references:
            raise FeatureError(
                N_(
                    "There is no reference recording of “{text}”. Put one named after the word into the folder "
                    "`references` of its set, or use features that need none."
                ),
                text=target.text,
            )
        report = check_audio(audio)
        snr_db = CLEAN_SNR_DB if report.snr_db is None else min(report.snr_db, CLEAN_SNR_DB)
        speech = speech_part(audio)
        if speech is None:
            values = [MOST_DISTANCE_DB, -MOST_DISTANCE_DB, 1.0, 0.0, 0.0, 0.0, 0.0, snr_db, report.clipped_share]
            return np.asarray(values, dtype=np.float32)
        matched = match_word(speech, word, references)
        best = matched.match
        margin = MOST_DISTANCE_DB if matched.other_distance is None else matched.other_distance - best.distance
        octaves = math.log2(best.length_ratio)
        values = [
            best.distance, margin, best.stretch, octaves, abs(octaves),
            best.level_difference_db, best.pitch_difference_semitones or 0.0, snr_db, report.clipped_share,
        ]  # fmt: skip
        return np.asarray(values, dtype=np.float32)

    def depends_on(self, target: Target) -> str:
        files = find_references(self._settings, target.language)
        stamps = [f"{path}:{stamp(path)}" for paths in files.values() for path in paths]
        return "\n".join([target.text, target.language, *stamps])


@EXTRACTORS.register("reference")
def make(settings: Settings) -> Reference:
    return Reference(settings)
