"""What the model is asked and what it is to answer.

Each task opens the user's turn with its control token, so that the two cannot be confused. Answers are JSON in one
line: four whole numbers, or two transcripts. Completeness is left out as in the paper: nine in ten utterances of
speechocean762 have the full mark, so that a correlation with it says nothing.

The bands in the prompt are those of the rating form (`pipeline/rubrics/sentence.yaml`), whose limits are the corpus's
published ones: raters, corpus and model mean the same by a number.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pipeline import artifacts
from pipeline.errors import TrainingError, said_by
from pipeline.i18n import N_, Message
from pipeline.records import RubricName
from pipeline.rubrics import RUBRICS, Dimension

Task = Literal["apa", "mdd"]
TASKS: tuple[Task, ...] = ("apa", "mdd")
AUDIO = "<|audio|>"
PAPERS_AUDIO = "<|audio_1|>"  # as remote code writes it
USER, END, ASSISTANT = "<|user|>", "<|end|>", "<|assistant|>"
ASPECTS = ("accuracy", "fluency", "prosodic", "total")
MAX_TEXT = 8000  # characters of a rubric or an instruction; a longer one leaves no room for the recording
PLACES = ("{control}", "{audio}", "{instruction}")
SPECIAL = (AUDIO, PAPERS_AUDIO, USER, END, ASSISTANT)


@dataclass(frozen=True)
class Prompts:
    """The instruction for each task with the rubric filled in, the control token of each, and the layout of the user's
    turn, with a place for each of PLACES."""

    apa: str
    mdd: str
    control: Mapping[str, str]
    layout: str

    def turn(self, task: Task, n_audio_tokens: int = 1) -> str:
        """The user's turn up to where the model answers; the audio takes `n_audio_tokens` places."""
        values = {
            "{control}": self.control[task], "{audio}": AUDIO * n_audio_tokens,
            "{instruction}": self.apa if task == "apa" else self.mdd,
        }  # fmt: skip
        turn = self.layout
        for place in PLACES:  # not str.format: instructions hold braces
            turn = turn.replace(place, values[place], 1)
        return turn

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Prompts":
        """As it was written to JSON. Raises KeyError where something is missing."""
        return cls(stored["apa"], stored["mdd"], dict(stored["control"]), stored["layout"])


def shipped_rubric() -> str:
    """The bands of the rating form, for a prompt."""
    dimensions = {dimension.key: dimension for dimension in RUBRICS[RubricName.SENTENCE].dimensions}
    scales = "\n\n".join(_scale(dimensions[aspect]) for aspect in ASPECTS)
    return f"Rate the recording on four scales. Each is a whole number from 0 to 10.\n\n{scales}"


def _scale(dimension: Dimension) -> str:
    highs = [dimension.high, *(level.low - 1 for level in dimension.levels[:-1])]
    rows = [
        f"  {level.low:g}-{high:g}".ljust(8) + level.meaning
        for level, high in zip(dimension.levels, highs, strict=True)
    ]
    return "\n".join([dimension.key, *rows])


SHIPPED = {
    "layout": f"{USER}{{control}}{{audio}}{{instruction}}{END}{ASSISTANT}",
    "apa_control": "<|APA|>",
    "mdd_control": "<|MDD|>",
    "rubric": shipped_rubric(),
    "apa": """Listen to a learner of English who reads a sentence aloud, and rate the pronunciation.

{rubric}

Answer with JSON only: {"accuracy": 0, "fluency": 0, "prosodic": 0, "total": 0} with your ratings for the zeros.""",
    "mdd": """Listen to a learner of English who reads a sentence aloud, and write down what was said: the words, and \
the sounds as they were really made, right or wrong.

The sounds are CMU phones without stress (AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S \
SH T TH UH UW V W Y Z ZH), separated by blanks; <unk> for a sound that is none of them. A sound that was left out is \
not written.

Answer with JSON only: {"word_transcript": "...", "phoneme_transcript": "..."}""",
}


def load_prompts(rubric_file: str = "", prompt_file: str = "") -> Prompts:
    """The shipped prompts; with the rubric of a file; or with all that a YAML file says of `layout`, `apa_control`,
    `mdd_control`, `rubric`, `apa` (with a place `{rubric}`) and `mdd`. Raises TrainingError for a file that cannot be
    used."""
    texts = dict(SHIPPED)
    if rubric_file:
        texts["rubric"] = _read(Path(rubric_file), N_("rubric")).strip()
    if prompt_file:
        texts |= _given(Path(prompt_file))
    source = rubric_file or prompt_file
    for name in ("rubric", "apa", "mdd"):
        if not texts[name] or len(texts[name]) > MAX_TEXT:
            raise TrainingError(
                N_("{source}: {name} has {n} characters; 1 to {most} can be used."),
                source=source,
                name=name,
                n=len(texts[name]),
                most=MAX_TEXT,
            )
        special = next((token for token in SPECIAL if token in texts[name]), None)
        if special is not None:
            raise TrainingError(
                N_("{source}: {name} holds {special}, which would end the turn. Take it out."),
                source=source,
                name=name,
                special=special,
            )
    layout = texts["layout"].replace(PAPERS_AUDIO, "{audio}")
    if any(layout.count(place) != 1 for place in PLACES) or not layout.endswith(ASSISTANT):
        raise TrainingError(
            N_("{source}: layout needs {places} once each, and {end} at its end."),
            source=source,
            places=", ".join(PLACES),
            end=ASSISTANT,
        )
    if texts["apa_control"] == texts["mdd_control"]:
        raise TrainingError(
            N_("{source}: apa_control and mdd_control are the same, so the tasks cannot be told apart."),
            source=source,
        )
    apa = texts["apa"].replace("{rubric}", texts["rubric"])
    return Prompts(apa, texts["mdd"], {task: texts[f"{task}_control"] for task in TASKS}, layout)


def _given(file: Path) -> dict[str, str]:
    try:
        content = artifacts.loads_yaml(_read(file, N_("prompt file")).encode())
    except ValueError as error:
        raise TrainingError(
            N_("The prompt file {file} is no YAML: {reason}."), file=str(file), reason=said_by(error)
        ) from error
    if not isinstance(content, dict) or not content:
        raise TrainingError(
            N_("The prompt file {file} needs lines such as `mdd: ...`; known: {known}."),
            file=str(file),
            known=", ".join(SHIPPED),
        )
    wrong = [str(name) for name, value in content.items() if name not in SHIPPED or not isinstance(value, str)]
    if wrong:
        raise TrainingError(
            N_("The prompt file {file}: {wrong} is unknown or no text; known: {known}."),
            file=str(file),
            wrong=", ".join(wrong),
            known=", ".join(SHIPPED),
        )
    return {name: value.strip() for name, value in content.items()}


def _read(file: Path, kind: str) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TrainingError(
            N_("The {kind} {file} cannot be read: {reason}."), kind=Message(kind), file=str(file), reason=said_by(error)
        ) from error


def apa_answer(scores: dict[str, float]) -> str:
    """Scores 0-10 as the model is to write them. Raises KeyError where an aspect is missing."""
    return json.dumps({aspect: _whole(scores[aspect]) for aspect in ASPECTS})


def mdd_answer(words: Sequence[str], phones: Sequence[str]) -> str:
    return json.dumps({"word_transcript": " ".join(words), "phoneme_transcript": " ".join(phones)})


def _whole(score: float) -> int:
    """Halves are rounded up, and nothing leaves 0-10."""
    return min(10, max(0, int(score + 0.5)))
