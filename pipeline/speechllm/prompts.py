"""What the model is asked and what it is to answer.

Each task opens the user's turn with its control token, so that the two cannot be confused. Answers are JSON in one
line: four whole numbers, or two transcripts. Completeness is left out as in the paper: nine in ten utterances of
speechocean762 have the full mark, so that a correlation with it says nothing.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipeline.errors import TrainingError

Task = Literal["apa", "mdd"]
TASKS: tuple[Task, ...] = ("apa", "mdd")
CONTROL = {"apa": "<|APA|>", "mdd": "<|MDD|>"}
AUDIO = "<|audio|>"
USER, END, ASSISTANT = "<|user|>", "<|end|>", "<|assistant|>"
ASPECTS = ("accuracy", "fluency", "prosodic", "total")
RUBRIC = Path(__file__).with_name("rubric.md")
MAX_RUBRIC = 8000  # characters; a longer one leaves no room for the recording

_APA = """Listen to a learner of English who reads a sentence aloud, and rate the pronunciation.

{rubric}

Answer with JSON only: {{"accuracy": 0, "fluency": 0, "prosodic": 0, "total": 0}} with your ratings for the zeros."""

_MDD = """Listen to a learner of English who reads a sentence aloud, and write down what was said: the words, and the \
sounds as they were really made, right or wrong.

The sounds are CMU phones without stress (AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S \
SH T TH UH UW V W Y Z ZH), separated by blanks; <unk> for a sound that is none of them. A sound that was left out is \
not written.

Answer with JSON only: {"word_transcript": "...", "phoneme_transcript": "..."}"""


@dataclass(frozen=True)
class Prompts:
    """The instruction for each task, with the rubric filled in."""

    apa: str
    mdd: str

    def turn(self, task: Task, n_audio_tokens: int = 1) -> str:
        """The user's turn up to where the model answers; the audio takes `n_audio_tokens` places."""
        instruction = self.apa if task == "apa" else self.mdd
        return f"{USER}{CONTROL[task]}{AUDIO * n_audio_tokens}{instruction}{END}{ASSISTANT}"


def load_prompts(rubric_file: str = "") -> Prompts:
    """With our rubric, or that of a file. Raises TrainingError for a file that cannot be a rubric."""
    path = Path(rubric_file) if rubric_file else RUBRIC
    try:
        rubric = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise TrainingError(f"The rubric {path} cannot be read: {error}.") from error
    if not rubric or len(rubric) > MAX_RUBRIC:
        raise TrainingError(f"The rubric {path} has {len(rubric)} characters; 1 to {MAX_RUBRIC} can be used.")
    special = next((token for token in (AUDIO, USER, END, ASSISTANT, *CONTROL.values()) if token in rubric), None)
    if special is not None:
        raise TrainingError(f"The rubric {path} holds {special}, which would end the turn. Take it out.")
    return Prompts(_APA.format(rubric=rubric), _MDD)


def apa_answer(scores: dict[str, float]) -> str:
    """Scores 0-10 as the model is to write them. Raises KeyError where an aspect is missing."""
    return json.dumps({aspect: _whole(scores[aspect]) for aspect in ASPECTS})


def mdd_answer(words: Sequence[str], phones: Sequence[str]) -> str:
    return json.dumps({"word_transcript": " ".join(words), "phoneme_transcript": " ".join(phones)})


def _whole(score: float) -> int:
    """Halves are rounded up, and nothing leaves 0-10."""
    return min(10, max(0, int(score + 0.5)))
