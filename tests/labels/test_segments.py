"""Tiers of raters: what a segment may be, how marks and segments hang together, what other programs change in them."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from praatio import textgrid as praatio

from pipeline.corpus.sets import get_set, read_recordings, result_path
from pipeline.errors import LabelError
from pipeline.labels.exchange.files import write_textgrids
from pipeline.labels.exchange.incoming import apply, check
from pipeline.labels.exchange.recordings import labels_of
from pipeline.labels.exchange.segment_places import with_phones, with_words
from pipeline.labels.exchange.textgrid import read_textgrids
from pipeline.labels.index import Index
from pipeline.labels.marked_words import MarkedWord, marked_words
from pipeline.labels.result_file import event_from_json, event_to_json, unread_parts
from pipeline.labels.segments import MAX_SEGMENTS, checked_segments, joined, segment_from_json
from pipeline.labels.store import LabelStore
from pipeline.records import Mark, RatingAction, RatingEvent, Recording, RubricName, Segment
from pipeline.settings import Settings
from tests.projects.test_projects import words

__all__ = ["words"]
AT = "2026-03-04T05:06:07.890+00:00"
TIERS = (
    Segment("words", 0.0, 0.5, "araba", 0), Segment("phones", 0.0, 0.1, "a", 0, 0),
    Segment("phones", 0.1, 0.25, "r", 0, 1, {"mispronounced": "l"}),
    Segment("phones", 0.25, 0.3, "ə", 0, None, {"added": ""}), Segment("phones", 0.3, 0.4, "a", 0, 2),
    Segment("phones", 0.4, 0.45, "b", 0, 3), Segment("phones", 0.45, 0.5, "a", 0, 4),
    Segment("comments", 0.2, 0.2, "creaky"),
)  # fmt: skip


def rated(segments: tuple[Segment, ...] = TIERS, marks: tuple[Mark, ...] = ()) -> RatingEvent:
    return RatingEvent("Ayşe", RatingAction.RATE, AT, 81.5, marks=marks, segments=segments)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"start_s": float("nan")}, "a time is a number of seconds"),
        ({"end_s": float("inf")}, "a time is a number of seconds"),
        ({"end_s": "0.2"}, "a time is a number of seconds"),
        ({"start_s": True}, "a time is a number of seconds"),
        ({"start_s": 0.4}, "cannot lie between 0.4 and 0.3 s"),
        ({"end_s": 0.1}, "cannot lie between 0.1 and 0.1 s"),
        ({"start_s": -0.1}, "cannot lie between -0.1"),
        ({"end_s": 0.7}, "cannot lie between 0.1 and 0.7 s"),
        ({"tier": "words: Ayşe"}, "cannot name a tier"),
        ({"tier": "comments"}, "cannot lie between"),
        ({"label": "x" * 501}, "at most 500 characters"),
        ({"label": ["x"]}, "a label is text"),
        ({"word": -1}, "counted from 0"),
        ({"word": 1.5}, "counted from 0"),
        ({"phone": 1, "word": None}, "of no word"),
        ({"marks": ["stress"]}, "the marks of a segment"),
        ({"marks": {str(n): "" for n in range(11)}}, "at most 10 marks"),
        ({"loudness": 3}, "a segment has the keys"),
    ],
)
def test_refuses_what_is_no_segment(wrong: dict[str, Any], reason: str) -> None:
    raw = {"tier": "words", "start_s": 0.1, "end_s": 0.3, "label": "x", "word": 0, **wrong}
    with pytest.raises(LabelError, match=reason):
        checked_segments([segment_from_json(raw)], 0.6)


def test_segments_of_one_tier_do_not_overlap() -> None:
    first, second = Segment("words", 0.0, 0.31, "a"), Segment("words", 0.3, 0.5, "b")
    with pytest.raises(LabelError, match=r"“a” and “b” overlap in words, at 0\.3 s"):
        checked_segments([second, first])
    assert checked_segments([second, replace(first, tier="phones")]) == (second, replace(first, tier="phones"))
    touching = [replace(first, end_s=0.3), second]
    assert checked_segments(touching[::-1]) == tuple(touching)
    with pytest.raises(LabelError, match="at most 5000 segments, got 5001"):
        checked_segments([first] * (MAX_SEGMENTS + 1))


def test_an_end_just_beyond_the_recording_is_its_end() -> None:
    """Lengths are rounded in browsers and other programs."""
    assert checked_segments([Segment("words", 0.1, 0.6004, "x\n<b>y</b>")], 0.6) == (
        Segment("words", 0.1, 0.6, "x <b>y</b>"),
    )


def test_marks_of_words_and_of_their_segments_are_one() -> None:
    event = joined(rated(marks=(Mark(0, 0, "accent"), Mark(0, None, "stress"), Mark(1, None, "missing"))))
    assert event.marks == (
        Mark(0, None, "added"), Mark(0, None, "stress"), Mark(0, 0, "accent"), Mark(0, 1, "mispronounced", "l"),
        Mark(1, None, "missing"),
    )  # fmt: skip
    assert [(segment.label, segment.marks) for segment in event.segments if segment.marks] == [
        ("araba", {"stress": ""}), ("a", {"accent": ""}), ("r", {"mispronounced": "l"}), ("ə", {"added": ""}),
    ]  # fmt: skip
    assert joined(event) == event
    two_sounds = replace(event, marks=(*event.marks, Mark(0, 1, "mispronounced", "w")))
    assert Mark(0, 1, "mispronounced", "w") in joined(two_sounds).marks, "another sound of the same kind is not lost"


def test_files_from_before_there_were_segments_are_read_as_they_were() -> None:
    old = {
        "evaluator": "Ayşe",
        "action": "rate",
        "at": AT,
        "score": 70.0,
        "marks": [{"word": 0, "phone": None, "kind": "x"}],
    }
    event = event_from_json(old)
    assert event.segments == ()
    assert "segments" not in event_to_json(event)
    assert event_from_json(event_to_json(rated())) == rated()


def test_damaged_segments_are_left_out_and_the_rating_counts(settings: Settings, words: str) -> None:
    recording = read_recordings(settings, words)[0]
    LabelStore(settings).add(recording, rated())
    path = result_path(get_set(settings, words), recording)
    content = json.loads(path.read_text(encoding="utf-8"))
    assert list(content)[:5] == ["word", "score", "labeled", "evaluator", "notes"]
    content["ratings"][0]["segments"][1]["end_s"] = 0.2
    path.write_text(json.dumps(content), encoding="utf-8")
    (event,) = LabelStore(settings).history(recording)
    assert (event.score, event.segments) == (81.5, ())
    assert unread_parts(event) == {"segments": "“a” and “r” overlap in phones, at 0.1 s."}
    LabelStore(settings).add(recording, replace(rated(), evaluator="Bob"))
    assert json.loads(path.read_text(encoding="utf-8"))["ratings"][0] == content["ratings"][0], "nothing is lost"


def test_each_rater_has_tiers_and_undo_brings_the_earlier_ones_back(settings: Settings, words: str) -> None:
    store, recording = LabelStore(settings), read_recordings(settings, words)[0]
    moved = (replace(TIERS[0], end_s=0.55), *TIERS[1:])
    for event in (rated(), replace(rated(), evaluator="Bob", segments=TIERS[:1]), rated(moved)):
        store.add(recording, event)
    assert store.current(recording)["Ayşe"].segments[0].end_s == 0.55
    store.undo(recording, "Ayşe")
    assert store.current(recording)["Ayşe"].segments == TIERS
    assert store.current(recording)["Bob"].segments == TIERS[:1]
    last = Index(settings).last_of(recording.id, "Ayşe")
    assert last is not None
    assert last.segments == TIERS, "what the form shows again"
    with pytest.raises(LabelError, match=r"cannot lie between 0 and 0\.7 s"):
        store.add(recording, rated((Segment("words", 0.0, 0.7, "araba", 0),)))


def test_boundaries_moved_in_praat_are_read_back_as_a_further_rating(
    settings: Settings, words: str, tmp_path: Path
) -> None:
    recording = read_recordings(settings, words)[0]
    LabelStore(settings).add(recording, rated())
    write_textgrids(tmp_path, labels_of(settings, words))
    (path,) = tmp_path.rglob("*.TextGrid")
    grid = praatio.openTextgrid(str(path), includeEmptyIntervals=False)
    phones = grid.getTier("phones: Ayşe")
    assert [entry.label for entry in phones.entries] == ["a", "r", "ə", "a", "b", "a"]
    assert [tuple(point) for point in grid.getTier("comments: Ayşe").entries] == [(0.2, "creaky")]
    first, second, *rest = phones.entries
    moved = [first._replace(end=0.0871234), second._replace(start=0.0871234, end=0.2, label="ɾ")]
    split = second._replace(start=0.2, end=0.25, label="h")
    changed = praatio.IntervalTier("phones: Ayşe", [*moved, split, *rest], 0.0, phones.maxTimestamp)
    grid.replaceTier("phones: Ayşe", changed)
    grid.save(str(path), format="short_textgrid", includeBlankSpaces=True)
    rows = read_textgrids(tmp_path)
    assert apply(settings, words, check(settings, words, rows)) == 1
    assert apply(settings, words, check(settings, words, rows)) == 0, "a second time changes nothing"
    history = LabelStore(settings).history(recording)
    assert [event.score for event in history] == [81.5, 81.5]
    assert history[1].at > AT
    assert [s for s in history[1].segments if s.tier == "phones"][:4] == [
        Segment("phones", 0.0, 0.087123, "a", 0, 0),
        Segment("phones", 0.087123, 0.2, "ɾ", 0, 1, {"mispronounced": "l"}),
        Segment("phones", 0.2, 0.25, "h", 0), Segment("phones", 0.25, 0.3, "ə", 0, None, {"added": ""}),
    ]  # fmt: skip


def test_intervals_find_their_words_and_sounds_by_their_labels() -> None:
    text = [MarkedWord("she", ("SH", "IY1")), MarkedWord("sells"), MarkedWord("it", ("IH0", "T"))]

    def tier(name: str, *labels: str) -> list[Segment]:
        return [Segment(name, float(n), n + 1.0, label) for n, label in enumerate(labels)]

    of_words = with_words(tier("words", "uh", "she", "sailed", "it"), text)
    assert [segment.word for segment in of_words] == [None, 0, 1, 2]
    wide = [replace(s, start_s=3 * s.start_s, end_s=3 * s.end_s) for s in of_words]
    phones = with_phones(tier("phones", "ah", "x", "y", "SH", "AH", "IY1", "S", "EH", "L", "IH0", "D"), wide, text)
    assert [(s.word, s.phone) for s in phones] == [
        (None, None), (None, None), (None, None), (0, 0), (0, None), (0, 1), (1, 0), (1, 1), (1, 2), (2, 0), (2, 1)
    ]  # fmt: skip


def test_words_in_turkish_have_their_letters_as_sounds() -> None:
    word = Recording("s/1", "s", "1.wav", "a", "AĞAÇ'ı Isır!", RubricName.WORD)
    assert marked_words(word) == [MarkedWord("AĞAÇ'ı"), MarkedWord("Isır!")]
    assert marked_words(word, "tr") == [MarkedWord("AĞAÇ'ı", tuple("ağaçı")), MarkedWord("Isır!", tuple("ısır"))]
    given = replace(word, extra={"words": [{"text": "X", "phones": "EH1 K S"}]})
    assert marked_words(given, "tr") == [MarkedWord("X", ("EH1", "K", "S"))]
