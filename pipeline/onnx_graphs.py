"""Open ONNX graphs of speech models with onnxruntime, on a processor."""

import os
from pathlib import Path
from typing import Any

from pipeline.errors import ModelError, said_by
from pipeline.i18n import N_, Message
from pipeline.parallel import cores

MAX_THREADS = 4


def open_graph(graph: Path | bytes, threads: int | None = None) -> Any:
    """An onnxruntime session, of a file or its content, with so many threads (default: OMP_NUM_THREADS, or a few).
    Raises ModelError for one that cannot be loaded."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or int(os.environ.get("OMP_NUM_THREADS") or min(MAX_THREADS, cores()))
    # Threads that wait by spinning take the core that the search through words runs on next.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises its own classes straight under it
        path = str(graph) if isinstance(graph, Path) else Message(N_("The graph"))
        raise ModelError(
            N_("{path} cannot be loaded by onnxruntime: {reason}."), path=path, reason=said_by(error)
        ) from error
