"""The words of a text that marks count: `Mark.word` is a place in them."""

from pipeline.records import Recording


def marked_words(recording: Recording) -> list[str]:
    """Those that the rating form shows, where the corpus gave any with phones, else the text at its blanks."""
    words = recording.extra.get("words")
    if isinstance(words, list) and all(isinstance(word, dict) and "text" in word for word in words) and words:
        return [str(word["text"]) for word in words]
    return recording.text.split()


def word_places(recording: Recording) -> list[int]:
    """Where in the text each of those words begins, in characters. Empty where the text does not have them in their
    order."""
    places: list[int] = []
    text, start = recording.text.lower(), 0
    if len(text) != len(recording.text):  # letters that are longer in lower case would move what follows
        text = recording.text
    for word in marked_words(recording):
        place = text.find(word, start)
        place = text.find(word.lower(), start) if place < 0 else place
        if place < 0:
            return []
        places.append(place)
        start = place + len(word)
    return places
