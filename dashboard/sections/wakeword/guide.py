"""Help: how to get to a detector that can be trusted."""

import streamlit as st

from pipeline.i18n import N_, _

GUIDE = (
    (
        N_("How many recordings?"),
        N_(
            "200 to 300 clips of the word from as many voices and microphones as possible, each with the word once and "
            "a little silence around it. An hour or more of other speech. Several minutes of the noise of the place. "
            "Set a third of the clips of the word aside for evaluation before you train."
        ),
    ),
    (
        N_("What do the figures mean?"),
        N_(
            "- **Missed at ≤ 0.5 per hour**: the share of words missed when the threshold allows at most one false "
            "alarm in two hours. Look at the interval beside it: 150 words cannot tell 2% from 5%.\n"
            "- **No false alarm in T hours** only means that the rate is below 3 / T per hour, with 95% confidence.\n"
            "- **Equal error rate** describes single clips and says little about a day of television. Trust the stream."
        ),
    ),
    (
        N_("Too many false alarms?"),
        N_(
            "Collect the sounds that caused them, add them as *Similar-sounding speech* and train again. Add phrases "
            "that share sounds with the word too (smart, mirror for *smart mirror*). Pieces of your own clips are used "
            "in this way automatically."
        ),
    ),
    (
        N_("Too many misses?"),
        N_(
            "Look under Robustness for the condition that hurts: for noise, add noise of that kind; for distance, add "
            "room impulse responses. More voices help more than more clips of the same voice."
        ),
    ),
    (
        N_("Which preset?"),
        N_(
            "*default* for a Raspberry Pi or better, *embedding* for few recordings where you have a speech embedding, "
            "*esp32* for an ESP32 with ESPHome (the only one that is exported for it), *small* for other "
            "microcontrollers, *thorough* when the last tenth of a percent counts. The presets of a detector "
            "(aggressive, balanced, conservative) change its votes and its lock-out, not the model."
        ),
    ),
)
COMMANDS = (
    ("pronlab wakeword speak computer --out spoken/ --clips 400",  # not shown
     N_("Clips of a typed word, by synthesisers")),
    ("pronlab wakeword speak computer --out spoken/ --from-speech DIR --source '([^/]+)/[^/]+$'",  # not shown
     N_("Also joined from the sounds of English recordings")),
    ("pronlab wakeword add computer --positive DIR --negative DIR --noise DIR",  # not shown
     N_("Copy clips to this page")),
    ("pronlab wakeword train --positive DIR --negative DIR --noise DIR --rir DIR --preset default",  # not shown
     N_("Train a detector")),
    ("pronlab wakeword evaluate RUN --positive DIR --background DIR --noise DIR --hours 2",  # not shown
     N_("Misses and false alarms on hours of sound")),
    ("pronlab wakeword robustness RUN --positive DIR --background DIR",  # not shown
     N_("How much noise, rooms and distance hurt")),
    ("pronlab wakeword detect RUN recording.wav",  # not shown
     N_("Find the word in a recording")),
    ("pronlab wakeword export RUN",  # not shown
     N_("Files for other runtimes")),
    ("pronlab wakeword learn-phones RUN computer",  # not shown
     N_("Learn the phones of the English word, for its judge")),
    ("pronlab wakeword export RUN --bundle computer.zip",  # not shown
     N_("One file for a device, with its judge of phones where the word has been learnt")),
    ("pronlab wakeword export RUN --bundle computer.zip --esp32",  # not shown
     N_("One file for an ESP32 with ESPHome, from the preset esp32")),
    ("pronlab wakeword listen computer.zip",  # not shown
     N_("Listen to the microphone with it")),
    ("pronlab wakeword listen computer.zip --phones computer",  # not shown
     N_("React only where the phones of the English word are heard")),
    ("pronlab wakeword wyoming computer.zip",  # not shown
     N_("Serve it to Home Assistant")),
    ("pronlab wakeword enrol ayse takes/",  # not shown
     N_("Enrol a voice from five takes of the word")),
    ("pronlab wakeword listen computer.zip --owner ayse",  # not shown
     N_("React to that voice only")),
    ("pronlab wakeword judge RUN",  # not shown
     N_("A second opinion for smaller detectors")),
)  # fmt: skip


def draw() -> None:
    left, right = st.columns(2)
    for index, (question, answer) in enumerate(GUIDE):
        column = left if index < 2 else right
        column.markdown(f"### {_(question)}\n\n{_(answer)}")
    st.markdown(_("### On the command line"))
    lines = (f"# {_(purpose)}\n{command}" for command, purpose in COMMANDS)
    st.code("\n".join(lines), language="bash", wrap_lines=True)
