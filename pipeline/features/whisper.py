"""Whether a recording was whispered: no voice at all in it.

In a voice one frame in ten at least is nearly periodic, in a whisper none is. The measure is the height of the
autocorrelation peak that a tenth of the frames with sound exceed. The threshold was set on participants 01 to 04 of
the demo and 300 recordings of speechocean762's `train` part, beside the same made voiceless; docs/results/practice.md
has how often it is right on others.
"""

from dataclasses import replace

import numpy as np

from pipeline.audio.load import Audio
from pipeline.audio.speech import Speech
from pipeline.features.frames import Frames
from pipeline.i18n import N_

SHARE = 0.1
LEAST_VOICING = 0.7
WHISPERED = N_(
    "There is hardly any voice in this recording, as in a whisper. Sounds such as b and p cannot be told apart so: the "
    "score may be too high. Say it aloud."
)
WHISPERED_PAIR = N_(
    "There is hardly any voice in this recording, as in a whisper. Sounds such as b and p cannot be told apart so: "
    "another word may have been heard. Say it aloud."
)
WHISPERED_FREELY = N_(
    "There is hardly any voice in this recording, as in a whisper: syllables and held sounds were not counted. Speak "
    "aloud."
)


def whispered_in(audio: Audio, speech: Speech) -> bool:
    """Whether the part of a recording in which somebody speaks was whispered: the rule of every form of practice."""
    return is_whispered(replace(audio, samples=audio.samples[speech.start : speech.end]))


def is_whispered(speech: Audio) -> bool:
    """Of the speech alone, without what was recorded before and after it; False where there is no sound."""
    frames = Frames(speech)
    voicing = frames.voicing[frames.active]
    return bool(len(voicing)) and float(np.quantile(voicing, 1.0 - SHARE)) < LEAST_VOICING
