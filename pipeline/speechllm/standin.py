"""A small speech language model of Phi-4-multimodal's classes that learns both tasks on a CPU in half an hour.

Its figures are far below the true model's, but they mean something: a fault in prompts, masks or decoding lowers them.
All behind the front end (`listening.py`) is trained. It begins at random, with a fixed seed, except for the audio part,
which begins with the meaning of what the front end gives: at random it would pass on next to nothing.
"""

from functools import cache
from itertools import product
from typing import Any

import numpy as np
import torch

from pipeline.errors import ModelError
from pipeline.i18n import N_
from pipeline.phones import PHONES, UNKNOWN
from pipeline.speechllm.attention import at_load
from pipeline.speechllm.config import SpeechLlmConfig
from pipeline.speechllm.phi4 import Phi4
from pipeline.speechllm.prompts import ASPECTS, ASSISTANT, AUDIO, END, USER, Prompts, load_prompts
from pipeline.speechllm.tiny import IMAGE, PAD, of_small_models, special_ids

N_WORDS = 3000  # of the shipped vocabulary, the likeliest first: what byte pairs are learnt from
N_PAIRS = 1000
LAYERS, WIDTH, HEADS, INNER = 3, 192, 6, 512
AUDIO_BLOCKS, AUDIO_WIDTH, AUDIO_HEADS = 2, 144, 4
RIDGE = 1e-4
HEARD_GAIN = 3.0  # of what is heard over the hundred values on how, before they are normalised together
FRAMES = 4  # that the two strides of 2 make one; of columns as well
KEPT = tuple(product((1, -1), (0, 1), (0, 1), (0, 1)))  # sign, column, frame, half: what each channel begins with
INITIAL_SPREAD = 0.05  # the default, .02, is for wide layers


def standin_phi4(config: SpeechLlmConfig, device: str) -> Phi4:
    """With random weights of a fixed seed, in 32 bits. Raises ModelError for 4 bits, or where the shipped speech model
    is not there."""
    from transformers import Phi4MultimodalConfig, Phi4MultimodalForCausalLM

    from pipeline.speechllm.listening import FRAMES_PER_PLACE, N_FEATURES, ListenerFeatures

    if config.bits == 4:
        raise ModelError(N_("The stand-in is trained from random weights, which 4 bits cannot hold: take bits 16."))
    front_end, tokenizer = ListenerFeatures(), standin_tokenizer()
    ids = special_ids(tokenizer)
    shape = Phi4MultimodalConfig(
        vocab_size=len(tokenizer), hidden_size=WIDTH, intermediate_size=INNER, num_hidden_layers=LAYERS,
        num_attention_heads=HEADS, num_key_value_heads=HEADS // 2, initializer_range=INITIAL_SPREAD,
        tie_word_embeddings=True, **of_small_models(ids),
        audio_config={
            "hidden_size": AUDIO_WIDTH, "intermediate_size": 2 * AUDIO_WIDTH, "num_attention_heads": AUDIO_HEADS,
            "num_blocks": AUDIO_BLOCKS, "ext_pw_out_channel": AUDIO_WIDTH,
            "depthwise_separable_out_channel": AUDIO_WIDTH, "nemo_conv_channels": len(KEPT),
            "input_size": N_FEATURES, "time_reduction": FRAMES_PER_PLACE, "initializer_range": INITIAL_SPREAD,
            "audio_token_id": ids[AUDIO],
        },
    )  # fmt: skip
    torch.manual_seed(0)
    shape._attn_implementation = at_load(config.attention)
    model = Phi4MultimodalForCausalLM(shape)
    _start_audio(model, tokenizer)
    return Phi4(model.to(device), tokenizer, front_end)


def _start_audio(model: Any, tokenizer: Any) -> None:
    """Let the audio part begin with what the front end's columns mean: where a phone is heard, the language model gets
    nearly that phone's token. The convolutions begin as sums over the frames of a place, the blocks as no change, and
    the last layer is fitted on made-up speech."""
    audio = model.model.embed_tokens_extend.audio_embed
    encoder = audio.encoder
    tokens = [tokenizer.convert_tokens_to_ids(f" {phone}") for phone in _phones()]
    features, heard = made_up_speech()
    with torch.no_grad():
        _start_convolutions(encoder.embed)
        for block in encoder.encoders:
            ends = (block.feed_forward_in.down_proj, block.self_attn.o_proj, block.conv.ext_pw_conv_1d,
                    block.feed_forward_out.down_proj)  # fmt: skip
            for layer in ends:
                layer.weight.zero_()
        hidden = torch.nn.functional.gelu(audio.up_proj_for_speech(encoder(features, None))).flatten(0, 1)
        wanted = (heard @ model.get_input_embeddings().weight[tokens]).flatten(0, 1)
        inputs = torch.cat([hidden, torch.ones(len(hidden), 1)], dim=1)
        ridge = RIDGE * len(inputs) * torch.eye(inputs.shape[1])
        solved = torch.linalg.solve(inputs.T @ inputs + ridge, inputs.T @ wanted)
        audio.down_proj_for_speech.weight.copy_(solved[:-1].T)
        audio.down_proj_for_speech.bias.copy_(solved[-1])


def _start_convolutions(stem: Any) -> None:
    """A channel for each sign, and each column and frame that a stride steps over: nothing is lost to the rectifiers.
    Of posteriors the positive parts are summed over a place's frames, of the other columns the values averaged."""
    first, _, second, mixing, _ = stem.conv
    n_labels, n_features = len(_phones()) + 1, stem.out.in_features // len(KEPT) * FRAMES
    for layer in (first, second, mixing, stem.out):
        layer.weight.zero_()
    for channel, (sign, column, frame, half) in enumerate(KEPT):
        first.weight[channel, 0, 1 + frame, 1 + column] = sign
        second.weight[channel, 0, 1:, 1 + half] = 1.0
        mixing.weight[channel, channel] = 1.0
        for group in range(n_features // FRAMES):
            feature = FRAMES * group + 2 * half + column
            gain = max(0, sign) * HEARD_GAIN if feature < n_labels else sign / FRAMES
            stem.out.weight[feature, channel * (n_features // FRAMES) + group] = gain


def made_up_speech(n: int = 64, n_places: int = 64) -> tuple[torch.Tensor, torch.Tensor]:
    """Features [n, 4 x n_places, N_FEATURES] with a phone in some of the places, for one frame or two, as a CTC network
    shows them; and which phone is heard in each place [n, n_places, phones]. Always the same."""
    from pipeline.speechllm.listening import N_FEATURES

    draw = torch.Generator().manual_seed(0)
    n_phones = len(_phones())
    heard = torch.nn.functional.one_hot(torch.randint(n_phones, (n, n_places), generator=draw), n_phones).float()
    heard *= (torch.rand(n, n_places, 1, generator=draw) < 0.7).float()
    shape = (n, n_places, FRAMES)
    frame = torch.randint(FRAMES, (n, n_places, 1), generator=draw)
    spikes = (torch.arange(FRAMES) - frame).abs() <= torch.randint(2, (n, n_places, 1), generator=draw)
    loud = spikes[..., None] * heard[:, :, None]
    unsure = -1.0 + 0.8 * torch.rand(*shape, n_phones + 1, generator=draw)
    labels = torch.cat([1.0 - loud.sum(dim=-1, keepdim=True), loud], dim=-1)  # the blank comes first
    posteriors = torch.where(labels > 0, 1.0 - 0.3 * torch.rand(labels.shape, generator=draw), unsure)
    states = torch.randn(*shape, N_FEATURES - n_phones - 1, generator=draw)
    return torch.cat([posteriors, states], dim=-1).flatten(1, 2), heard


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
    phones = _phones()
    whole = [
        *_paragraphs(prompts), *_json_pieces(), *map(str, range(11)), *phones, *(f" {phone}" for phone in phones)
    ]  # fmt: skip
    learner.add_tokens([AddedToken(text, normalized=False) for text in dict.fromkeys(whole)])
    return PreTrainedTokenizerFast(tokenizer_object=learner, pad_token=PAD, eos_token=END, bos_token=PAD)


def _phones() -> list[str]:
    """In the order of the shipped listener's columns."""
    return [*PHONES, UNKNOWN]


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
