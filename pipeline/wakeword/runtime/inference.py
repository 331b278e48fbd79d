"""A model as a function from windows to logits, for everything that only asks it."""

from contextlib import nullcontext

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from pipeline.wakeword.models.quantisation_aware import quantised
from pipeline.wakeword.runtime.detector import Classifier, Scores

BATCH = 512


def classifier_of(model: nn.Module, device: str = "cpu", *, on_grid: bool = False) -> Classifier:
    """In evaluation mode, in batches; float32 throughout, or `on_grid` of 8 bits."""
    model.eval()

    def classifier(windows: NDArray[np.float32]) -> Scores:
        with torch.inference_mode(), quantised(model) if on_grid else nullcontext():
            parts = [
                model(torch.from_numpy(np.ascontiguousarray(windows[i : i + BATCH])).to(device)).float().cpu().numpy()
                for i in range(0, len(windows), BATCH)
            ]
        return np.concatenate(parts) if parts else np.zeros(0, dtype=np.float32)

    return classifier
