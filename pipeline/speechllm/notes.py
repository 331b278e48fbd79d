"""What a plan has to tell about the model and what is trained of it, beside the numbers."""

from pipeline.speechllm.adapter_files import AdapterShape
from pipeline.speechllm.config import SpeechLlmConfig

# Told by the guide to this reproduction for ranks 64 and 320, and what they count.
COUNTED_ELSEWHERE = {
    64: "counts of 200 M for rank 64 include modules that are saved whole",
    320: "counts of 830 M for rank 320 include the published vision adapter (r 256, 369.1 M)",
}


def notes_on(config: SpeechLlmConfig, adapter: AdapterShape | None, n_trained: int) -> list[str]:
    """`adapter` is the checkpoint's own one where it is used and could be read."""
    notes: list[str] = []
    uses_own = config.merge_speech or config.adapter == "pretrained"
    if adapter is not None:
        notes.append(f"{'merges' if config.merge_speech else 'continues with'} {adapter.text()}")
        if config.adapter == "pretrained" and (overridden := adapter.overridden(config)):
            notes.append(overridden)
    elif uses_own:
        notes.append("the layout of the checkpoint's own speech adapter is shown once the checkpoint is there")
    elif config.adapter in ("fresh", "unfreeze") and config.model.startswith("microsoft/"):
        notes.append("starts from the base without its speech adapter, which may not hear yet (merge_speech adds it)")
    rank = adapter.r if adapter is not None and config.adapter == "pretrained" else config.r
    if n_trained > 50_000_000 and config.adapter in ("fresh", "pretrained") and rank in COUNTED_ELSEWHERE:
        notes.append(COUNTED_ELSEWHERE[rank])
    return notes
