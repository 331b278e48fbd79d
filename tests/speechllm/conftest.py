"""What the tests of the speech language model share: a small checkpoint of the real classes as it is published."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Model, tokenizer, front end, and a speech adapter of another rank than the presets; to be read, not changed."""
    import torch

    from pipeline.speechllm.adapter_files import SPEECH_ADAPTER
    from pipeline.speechllm.adapters import attach_adapter
    from pipeline.speechllm.config import SpeechLlmConfig
    from pipeline.speechllm.loading import load_phi4

    folder = tmp_path_factory.mktemp("checkpoint")
    config = SpeechLlmConfig(manifest="m", model="tiny", r=4, alpha=12, dropout=0.25, checkpointing=False)
    base = load_phi4(config, "cpu")
    base.model.save_pretrained(folder)
    base.tokenizer.save_pretrained(folder)
    base.front_end.save_pretrained(folder)
    attached = attach_adapter(base, config).model
    with torch.no_grad():
        for name, parameter in attached.named_parameters():
            if "lora_B" in name:
                parameter.normal_()
    attached.save_pretrained(folder / SPEECH_ADAPTER, save_embedding_layers=False)
    return folder
