"""A speech language model (Phi-4-multimodal) fine-tuned with LoRA to score and to transcribe what was said.

The reproduction of arXiv 2509.02915: one model, two tasks told apart by a control token, answers in JSON.
"""

import logging

# When it is imported, it tells of kernels for 4 bits on a CPU that are not installed, whatever is computed in.
logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)
