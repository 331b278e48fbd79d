"""The names of what lies in a run's directory and in a model folder, which pages read without PyTorch."""

# In the run's directory
MODEL_FOLDER, SPLIT_FOLDER, EXPORTS = "model", "split", "exports"
REPORT, EVALUATION, ROBUSTNESS = "report.json", "evaluation.json", "robustness.json"
FOLDER_SCORES = "folder.json"
# In the model folder
WEIGHTS, INFO, CARD = "model.safetensors", "model.json", "README.md"
# In a bundle
BUNDLE_MODEL, BUNDLE_DETECTOR = "model.onnx", "detector.json"
# In the folder of exports
ONNX, TORCHSCRIPT, INT8, EXPORT_REPORT = "model.onnx", "model.torchscript.pt", "model.int8.onnx", "export.json"
BUNDLE = "bundle.zip"
# Kinds of background work of the page, besides trainings
RATE_RANGE, SEARCH = "rate-range", "wakeword-search"
