"""A small speech language model of Phi-4-multimodal's classes that learns both tasks on a CPU in half an hour.

Its figures are far below the true model's, but they mean something: a fault in prompts, masks or decoding lowers them.
All but the front end (`listening.py`) begins at random, with a fixed seed, and all of it is trained.
"""

from functools import cache
from typing import Any

import numpy as np
import torch

from pipeline.errors import ModelError
from pipeline.phones import PHONES, UNKNOWN
from pipeline.speechllm.attention import at_load
from pipeline.speechllm.config import SpeechLlmConfig
from pipeline.speechllm.phi4 import Phi4
from pipeline.speechllm.prompts import ASPECTS, ASSISTANT, AUDIO, END, USER, Prompts, load_prompts

IMAGE, PAD = "<|image|>", "<|endoftext|>"
N_WORDS = 3000  # of the shipped vocabulary, the likeliest first: what byte pairs are learnt from
N_PAIRS = 1000
LAYERS, WIDTH, HEADS, INNER = 3, 192, 6, 512
AUDIO_BLOCKS, AUDIO_WIDTH, AUDIO_HEADS, CHANNELS = 2, 144, 4, 24
INITIAL_SPREAD = 0.05  # the default, .02, is for wide layers


def standin_phi4(config: SpeechLlmConfig, device: str) -> Phi4:
    """With random weights of a fixed seed, in 32 bits. Raises ModelError for 4 bits, or where the shipped speech model
    is not there."""
    from transformers import Phi4MultimodalConfig, Phi4MultimodalForCausalLM

    from pipeline.speechllm.listening import FRAMES_PER_PLACE, N_FEATURES, ListenerFeatures

    if config.bits == 4:
        raise ModelError("The stand-in is trained from random weights, which 4 bits cannot hold: take bits 16.")
    front_end, tokenizer = ListenerFeatures(), standin_tokenizer()
    ids = {token: tokenizer.convert_tokens_to_ids(token) for token in (AUDIO, IMAGE, END, PAD)}
    shape = Phi4MultimodalConfig(
        vocab_size=len(tokenizer), hidden_size=WIDTH, intermediate_size=INNER, num_hidden_layers=LAYERS,
        num_attention_heads=HEADS, num_key_value_heads=HEADS // 2, max_position_embeddings=4096,
        initializer_range=INITIAL_SPREAD, tie_word_embeddings=True,
        bos_token_id=ids[PAD], pad_token_id=ids[PAD], eos_token_id=[ids[PAD], ids[END]],
        rope_parameters={"rope_type": "default", "rope_theta": 10_000.0, "partial_rotary_factor": 1.0},
        audio_config={
            "hidden_size": AUDIO_WIDTH, "intermediate_size": 2 * AUDIO_WIDTH, "num_attention_heads": AUDIO_HEADS,
            "num_blocks": AUDIO_BLOCKS, "ext_pw_out_channel": AUDIO_WIDTH,
            "depthwise_separable_out_channel": AUDIO_WIDTH, "nemo_conv_channels": CHANNELS,
            "input_size": N_FEATURES, "time_reduction": FRAMES_PER_PLACE, "initializer_range": INITIAL_SPREAD,
            "audio_token_id": ids[AUDIO],
        },
        vision_config={
            "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2,
            "image_token_id": ids[IMAGE], "crop_size": 16, "image_size": 16, "patch_size": 2,
        },
    )  # fmt: skip
    torch.manual_seed(0)
    shape._attn_implementation = at_load(config.attention)
    return Phi4(Phi4MultimodalForCausalLM(shape).to(device), tokenizer, front_end)


@cache
def standin_tokenizer() -> Any:
    """One token for every paragraph of the shipped prompts, piece of the answers' JSON, number and phone; words in
    byte pairs. Other prompts can be used, and are longer."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    learner = Tokenizer(models.BPE())
    learner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    learner.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=N_PAIRS, special_tokens=[PAD, USER, END, ASSISTANT, AUDIO, IMAGE],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False,
    )  # fmt: skip
    learner.train_from_iterator([f"{space}{word}" for word in _common_words() for space in ("", " ")], trainer)
    prompts = load_prompts()
    phones = [*sorted(PHONES), UNKNOWN]
    whole = [
        *_paragraphs(prompts), *_json_pieces(), *map(str, range(11)), *phones, *(f" {phone}" for phone in phones)
    ]  # fmt: skip
    learner.add_tokens([AddedToken(text, normalized=False) for text in dict.fromkeys(whole)])
    return PreTrainedTokenizerFast(tokenizer_object=learner, pad_token=PAD, eos_token=END, bos_token=PAD)


def _paragraphs(prompts: Prompts) -> list[str]:
    return [*prompts.control.values(), *prompts.apa.split("\n\n"), *prompts.mdd.split("\n\n"), "\n\n"]


def _json_pieces() -> list[str]:
    first, *others = ASPECTS
    transcripts = ['{"word_transcript": "', '", "phoneme_transcript": "', '"}']
    return [f'{{"{first}": ', *(f', "{aspect}": ' for aspect in others), *transcripts]


def _common_words() -> list[str]:
    from pipeline.speechllm.listening import SPEECH_MODEL

    with np.load(SPEECH_MODEL / "vocabulary.npz", allow_pickle=False) as vocabulary:
        return list(vocabulary["texts"].tobytes().decode().split("\n")[:N_WORDS])
