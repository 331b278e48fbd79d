"""A random Phi-4-multimodal of a few layers with a tokenizer of its own: the whole way in minutes, on a CPU."""

from functools import cache
from typing import Any

import torch

from pipeline.phones import PHONES, UNKNOWN
from pipeline.speechllm.attention import at_load
from pipeline.speechllm.config import SpeechLlmConfig
from pipeline.speechllm.phi4 import Phi4, quantisation
from pipeline.speechllm.prompts import ASSISTANT, AUDIO, END, USER, apa_answer, load_prompts, mdd_answer

IMAGE, PAD = "<|image|>", "<|endoftext|>"
N_TOKENS = 600
LAYERS, WIDTH, HEADS = 2, 64, 4
OUTPUT_GAIN = 20.0


def special_ids(tokenizer: Any) -> dict[str, int]:
    return {token: tokenizer.convert_tokens_to_ids(token) for token in (AUDIO, IMAGE, END, PAD)}


def of_small_models(ids: dict[str, int]) -> dict[str, Any]:
    """What the shapes of the models that are built here have in common: tokens, positions, and a vision part that
    nobody asks."""
    return {
        "max_position_embeddings": 4096, "bos_token_id": ids[PAD], "pad_token_id": ids[PAD],
        "eos_token_id": [ids[PAD], ids[END]],
        "rope_parameters": {"rope_type": "default", "rope_theta": 10_000.0, "partial_rotary_factor": 1.0},
        "vision_config": {
            "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2,
            "image_token_id": ids[IMAGE], "crop_size": 16, "image_size": 16, "patch_size": 2,
        },
    }  # fmt: skip


def tiny_phi4(config: SpeechLlmConfig, device: str) -> Phi4:
    """With random weights of a fixed seed, in 32 bits (a CPU has little else) or 4."""
    import tempfile

    from transformers import Phi4MultimodalConfig, Phi4MultimodalFeatureExtractor, Phi4MultimodalForCausalLM

    tokenizer = tiny_tokenizer()
    ids = special_ids(tokenizer)
    shape = Phi4MultimodalConfig(
        vocab_size=len(tokenizer), hidden_size=WIDTH, intermediate_size=2 * WIDTH, num_hidden_layers=LAYERS,
        num_attention_heads=HEADS, num_key_value_heads=HEADS // 2, **of_small_models(ids),
        audio_config={
            "hidden_size": WIDTH, "intermediate_size": 2 * WIDTH, "num_attention_heads": HEADS, "num_blocks": 2,
            "ext_pw_out_channel": WIDTH, "depthwise_separable_out_channel": WIDTH, "nemo_conv_channels": WIDTH,
            "audio_token_id": ids[AUDIO],
        },
    )  # fmt: skip
    torch.manual_seed(0)
    shape._attn_implementation = at_load(config.attention)
    model = Phi4MultimodalForCausalLM(shape)
    with torch.no_grad():  # never trained: with weights as small as they come it could say nothing surely
        model.lm_head.weight.mul_(OUTPUT_GAIN)
    if config.bits == 4:
        # Quantisation happens on loading.
        with tempfile.TemporaryDirectory() as folder:
            model.to(torch.bfloat16).save_pretrained(folder)
            model = Phi4MultimodalForCausalLM.from_pretrained(
                folder, dtype=torch.bfloat16, quantization_config=quantisation(config),
                attn_implementation=at_load(config.attention), device_map=device,
            )  # fmt: skip
    else:
        model = model.to(device)
    return Phi4(model, tokenizer, Phi4MultimodalFeatureExtractor())


@cache
def tiny_tokenizer() -> Any:
    """Byte pairs learnt from the prompts and from answers, so that prompts stay short."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    learner = Tokenizer(models.BPE())
    learner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    learner.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=N_TOKENS, special_tokens=[PAD, USER, END, ASSISTANT, AUDIO, IMAGE],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False,
    )  # fmt: skip
    prompts = load_prompts()
    answers = [apa_answer(dict.fromkeys(("accuracy", "fluency", "prosodic", "total"), n)) for n in range(11)]
    answers.append(mdd_answer(["the", "cat"], [*sorted(PHONES), UNKNOWN]))
    learner.train_from_iterator([prompts.apa, prompts.mdd, *answers], trainer)
    return PreTrainedTokenizerFast(tokenizer_object=learner, pad_token=PAD, eos_token=END, bos_token=PAD)
