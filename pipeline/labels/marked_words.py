"""The words and sounds of a text that marks count: `Mark.word` is a place in the words, `Mark.phone` one in the
sounds of a word."""

from dataclasses import dataclass

from pipeline.records import Recording
from pipeline.text.turkish import sounds_of


@dataclass(frozen=True)
class MarkedWord:
    """A word as it is shown; `phones` are its expected sounds, none where nobody knows them."""

    text: str
    phones: tuple[str, ...] = ()


def marked_words(recording: Recording, language: str = "") -> list[MarkedWord]:
    """Those that the corpus gave, with its phones; else the pieces of the text between blanks, in Turkish with their
    letters. `language` is the recording's, or its set's where it has none of its own."""
    words = recording.extra.get("words")
    if isinstance(words, list) and all(isinstance(word, dict) and "text" in word for word in words) and words:
        return [MarkedWord(str(word["text"]), _phones(word.get("phones"))) for word in words]
    is_turkish = (language or recording.language).partition("-")[0] == "tr"
    return [MarkedWord(piece, sounds_of(piece) if is_turkish else ()) for piece in recording.text.split()]


def word_places(recording: Recording) -> list[int]:
    """Where in the text each of those words begins, in characters. Empty where the text does not have them in their
    order."""
    places: list[int] = []
    text, start = recording.text.lower(), 0
    if len(text) != len(recording.text):  # letters that are longer in lower case would move what follows
        text = recording.text
    for word in marked_words(recording):
        place = text.find(word.text, start)
        place = text.find(word.text.lower(), start) if place < 0 else place
        if place < 0:
            return []
        places.append(place)
        start = place + len(word.text)
    return places


def _phones(given: object) -> tuple[str, ...]:
    """Of a manifest's word: a list, or a text with blanks between them."""
    if isinstance(given, str):
        return tuple(given.split())
    return tuple(map(str, given)) if isinstance(given, list | tuple) else ()
