"""What the speech language model is asked, and reading what it answers."""

import json
import re
from pathlib import Path

import pytest

from pipeline.corpus.transcriptions import word_hearings
from pipeline.errors import TrainingError
from pipeline.records import RubricName
from pipeline.rubrics import RUBRICS
from pipeline.speechllm.answers import Transcript, parse_apa, parse_mdd
from pipeline.speechllm.prompts import apa_answer, load_prompts, mdd_answer

SCORES = {"accuracy": 8.0, "fluency": 6.5, "prosodic": 7.4, "total": 12.0}


def test_each_task_opens_the_turn_with_its_token() -> None:
    prompts = load_prompts()
    assert prompts.turn("apa", 2).startswith("<|user|><|APA|><|audio|><|audio|>Listen")
    assert prompts.turn("mdd").startswith("<|user|><|MDD|><|audio|>Listen")
    for task in ("apa", "mdd"):
        assert prompts.turn(task).endswith("<|end|><|assistant|>")
    assert "every sound is right" in prompts.apa
    assert "every sound is right" not in prompts.mdd


def test_a_rubric_of_ones_own(tmp_path: Path) -> None:
    own = tmp_path / "own.txt"
    own.write_text("Ten is {perfect}.", encoding="utf-8")
    assert "Ten is {perfect}." in load_prompts(str(own)).apa
    own.write_text("Stop here. <|end|>", encoding="utf-8")
    with pytest.raises(TrainingError, match="would end the turn"):
        load_prompts(str(own))
    own.write_text("x" * 8001, encoding="utf-8")
    with pytest.raises(TrainingError, match="8001 characters"):
        load_prompts(str(own))
    own.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(TrainingError, match="cannot be read"):
        load_prompts(str(own))
    with pytest.raises(TrainingError, match="cannot be read"):
        load_prompts(str(tmp_path / "none.txt"))


def test_the_bands_are_those_of_the_rating_form_and_of_the_corpus() -> None:
    text = load_prompts().apa
    corpus = {  # arXiv 2104.01378, sentence level; it has no bands for the total
        "accuracy": ["9-10", "7-8", "5-6", "3-4", "0-2"], "fluency": ["8-10", "6-7", "4-5", "0-3"],
        "prosodic": ["9-10", "7-8", "5-6", "3-4", "0-2"],
    }  # fmt: skip
    for dimension in RUBRICS[RubricName.SENTENCE].dimensions:
        lines = text.split(f"\n{dimension.key}\n")[1].split("\n\n")[0].splitlines()
        assert [line.split()[0] for line in lines] == corpus.get(dimension.key, corpus["accuracy"])
        assert [line.split(maxsplit=1)[1] for line in lines] == [level.meaning for level in dimension.levels]


def test_a_prompt_file_sets_layout_tokens_and_texts(tmp_path: Path) -> None:
    file = tmp_path / "prompts.yaml"
    file.write_text(
        'layout: "<|user|><|audio_1|>{control} {instruction}<|end|><|assistant|>"\n'
        'apa_control: "[rate]"\nrubric: Ten is {perfect}.\napa: "Scores as {\\"a\\": 1}. {rubric}"\n',
        encoding="utf-8",
    )
    prompts = load_prompts(prompt_file=str(file))
    assert prompts.turn("apa", 2) == (
        '<|user|><|audio|><|audio|>[rate] Scores as {"a": 1}. Ten is {perfect}.<|end|><|assistant|>'
    )
    assert prompts.turn("mdd").startswith("<|user|><|audio|><|MDD|> Listen")
    for text, told in (
        ("mdd: [1]", "mdd is unknown or no text"),
        ("sentence: x", "sentence is unknown"),
        ("- a", "needs lines such as"),
        ('layout: "{audio}{instruction}<|assistant|>"', "layout needs {control}"),
        ('apa_control: "<|MDD|>"', "cannot be told apart"),
        ('mdd: "Stop. <|end|>"', "mdd holds <|end|>"),
        ("apa: {", "is no YAML"),
    ):
        file.write_text(text, encoding="utf-8")
        with pytest.raises(TrainingError, match=re.escape(told)):
            load_prompts(prompt_file=str(file))


def test_targets_are_strict_json_that_reads_back() -> None:
    answer = apa_answer(SCORES)
    assert json.loads(answer) == {"accuracy": 8, "fluency": 7, "prosodic": 7, "total": 10}
    assert parse_apa(answer) == {"accuracy": 8.0, "fluency": 7.0, "prosodic": 7.0, "total": 10.0}
    assert parse_mdd(mdd_answer(["WE", "go"], ["W", "IY", "<unk>"])) == Transcript(("we", "go"), ("W", "IY", "<unk>"))
    with pytest.raises(KeyError, match="total"):
        apa_answer({"accuracy": 1.0, "fluency": 1.0, "prosodic": 1.0})


@pytest.mark.parametrize(
    "answer",
    [
        'Sure! {"accuracy": 8, "fluency": 7, "prosodic": 7, "total": 10} I hope this helps.',
        "{'accuracy': 8, 'fluency': 7, 'prosodic': 7, 'total': 10}",
        '```json\n{"accuracy": 8,\n "fluency": "7",\n "prosodic": 7.0,\n "total": 10,}\n```',
        '{} {"accuracy": 8, "fluency": 7, "prosodic": 7, "total": 10}',
    ],
)
def test_answers_around_the_json_are_understood(answer: str) -> None:
    assert parse_apa(answer) == {"accuracy": 8.0, "fluency": 7.0, "prosodic": 7.0, "total": 10.0}


@pytest.mark.parametrize(
    "answer",
    [
        "", "8 7 7 10", '{"accuracy": 8', '{"accuracy": 8, "fluency": 7, "prosodic": 7}',
        '{"accuracy": 80, "fluency": 7, "prosodic": 7, "total": 10}',
        '{"accuracy": -1, "fluency": 7, "prosodic": 7, "total": 10}',
        '{"accuracy": NaN, "fluency": 7, "prosodic": 7, "total": 10}',
        '{"accuracy": "good", "fluency": 7, "prosodic": 7, "total": 10}',
        '{"accuracy": null, "fluency": 7, "prosodic": 7, "total": 10}', "{" * 10_000, "{1, 2}",
        "{__import__('os').getcwd(): 1}",
    ],
)  # fmt: skip
def test_what_is_no_answer_is_a_failure(answer: str) -> None:
    assert parse_apa(answer) is None
    assert parse_mdd(answer) is None


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("AX", "AH"), ("ax0", "AH"), ("AXR", "AH"), ("OO", "AH"), ("TS", "T S"), ("IX", "IH"), ("EN", "AH N"),
        ("HV", "HH"), ("G0", "G"), ("NN", "<unk>"),
    ],
)  # fmt: skip
def test_variants_of_dictionaries_are_folded_as_the_corpus_does(written: str, read: str) -> None:
    found = parse_mdd(mdd_answer(["a"], ["K", written]))
    assert found is not None
    assert found.phones == ("K", *read.split())
    # The experts' own transcription of the corpus, which the answer is compared with, reads the same.
    word = {"phones": ["K"], "mispronunciations": [{"index": 0, "canonical_phone": "K", "pronounced_phone": written}]}
    assert word_hearings(word)[2].sequence() == [read.split()[0]]


def test_symbols_that_are_no_phones_are_unknown_sounds() -> None:
    found = parse_mdd('{"word_transcript": "A cat", "phoneme_transcript": "ah0 K AE1 T Q <unk> k3"}')
    assert found == Transcript(("a", "cat"), ("AH", "K", "AE", "T", "<unk>", "<unk>", "<unk>"))
    assert parse_mdd('{"word_transcript": "a", "phoneme_transcript": ["AH"]}') is None
