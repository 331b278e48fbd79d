"""English sentences, words and phones: an encoder with a phone CTC head, evidence for each phone, and a score head.

`train` fine-tunes with PyTorch and `export` writes ONNX; `scorer` needs neither PyTorch nor transformers.
"""
