"""A speech language model (Phi-4-multimodal) fine-tuned with LoRA to score and to transcribe what was said.

The reproduction of arXiv 2509.02915: one model, two tasks told apart by a control token, answers in JSON.
"""
