"""Step 6: how to get to a detector that can be trusted."""

import streamlit as st

GUIDE = """
#### How many recordings?
200 to 300 clips of the word from as many voices and microphones as you can get, each said once with a little silence
around it; an hour or more of other speech; minutes of the noise of the place. Set a third of the word's clips aside
before you train.

#### What the figures mean
- **Missed at 0.5 false alarms an hour**: the share of words not found when the threshold lets the detector go off
  falsely at most once in two hours. Look at the interval beside it: 150 words cannot tell 2 % from 5 %.
- **No false alarm in T hours** only says that the rate is below 3 / T an hour, with 95 % confidence.
- **Equal error rate** is of single clips and says little about a day of television: trust the stream.

#### When it goes off falsely
Collect what set it off, put it under *What sounds like it*, train again. Phrases that share sounds with the word
(smart, mirror for *smart mirror*) belong there too; pieces of your own clips are used as such by themselves.

#### When it misses
Look under Robustness which condition hurts: noise asks for noise of that kind, distance for room responses. More voices
help more than more clips of the same voice.

#### Which preset?
*default* for a Raspberry Pi and better, *small* for a microcontroller, *thorough* when the last tenth of a percent
counts. A detector's own preset (aggressive, balanced, conservative) changes votes and lock-out, not the model.

#### On the command line
"""
COMMANDS = """pronlab wakeword add computer --positive DIR --negative DIR --noise DIR
pronlab wakeword train --positive DIR --negative DIR --noise DIR --rir DIR --preset default
pronlab wakeword evaluate RUN --positive DIR --background DIR --noise DIR --hours 2
pronlab wakeword robustness RUN --positive DIR --background DIR
pronlab wakeword export RUN
pronlab wakeword detect RUN recording.wav
pronlab wakeword judge RUN"""


def draw() -> None:
    st.markdown(GUIDE)
    st.code(COMMANDS, language="bash")
