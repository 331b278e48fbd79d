"""The names of what lies in a run's directory and in a model folder, which pages read without PyTorch.

And what may be the name of a file that people name.
"""

from collections.abc import Iterable

from pipeline.people.names import spaced, spelled_as
from pipeline.text.signs import is_of_word

LONGEST_NAME = 60

# In the run's directory
MODEL_FOLDER, SPLIT_FOLDER, EXPORTS = "model", "split", "exports"
REPORT, EVALUATION, ROBUSTNESS = "report.json", "evaluation.json", "robustness.json"
FOLDER_SCORES = "folder.json"
# In the model folder
WEIGHTS, INFO, CARD, EMBEDDING = "model.safetensors", "model.json", "README.md", "embedding"
# There and in a bundle
LEARNT_WEIGHTS, LEARNT_INFO = "phones.safetensors", "phones.json"
# In a bundle
BUNDLE_MODEL, BUNDLE_DETECTOR = "model.onnx", "detector.json"
ESP32_MODEL = "model.tflite"
JUDGE_MODEL, JUDGE_WEIGHTS = "judge.onnx", "judge.f32"
# In the folder of exports
ONNX, TORCHSCRIPT, INT8, EXPORT_REPORT = "model.onnx", "model.torchscript.pt", "model.int8.onnx", "export.json"
BUNDLE = "bundle.zip"
# Kinds of background work of the page, besides trainings
RATE_RANGE, SEARCH = "rate-range", "wakeword-search"


def named_file(name: str, known: Iterable[str]) -> str | None:
    """A name that people gave, as the name of a file: the spelling among `known` (Eve, where eve is typed), else as it
    was typed, composed. None for one that cannot be: other than letters, digits, blanks, - and _, or too long."""
    written = spelled_as(name, known) or spaced(name)
    fits = 0 < len(written) <= LONGEST_NAME and all(is_of_word(sign) or sign in " -_" for sign in written)
    return written if fits else None
