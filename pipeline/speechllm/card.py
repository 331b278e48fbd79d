"""The card of a fine-tuned speech language model, in the place of the template that PEFT leaves."""

from pathlib import Path

from pipeline import artifacts
from pipeline.markdown import literal
from pipeline.speechllm.deployed import needs
from pipeline.speechllm.model_files import SpeechLlmInfo

CARD_FILE = "README.md"


def write_card(folder: Path, info: SpeechLlmInfo, table: str) -> None:
    """`table` is Table 3 of the run in Markdown."""
    base = literal(f"{info.model} {info.revision}".strip() or "the whole model lies in this folder", begins=False)
    own = " with its own speech adapter merged" if info.merge_speech else ""
    data = literal(f"{info.trained_on}{f', part {info.part}' if info.part else ''}", begins=False)
    trained = (
        f"{info.n_recordings} recordings of {info.n_speakers} speaker{'' if info.n_speakers == 1 else 's'}: {data}"
        if info.n_recordings
        else "nothing"
    )
    text = f"""# {literal(info.model_id, begins=False)}

Rates accuracy, fluency, prosody and total of a sentence in English and writes down the words and phones it hears; it is
not told the text.

- Base: {base}{own}, {info.bits}-bit weights
- Adapter: {info.adapter}
- Trained on {trained}
- {needs(info.memory_gb)}

## Table 3

{table}"""
    artifacts.write_text(folder / CARD_FILE, text)
