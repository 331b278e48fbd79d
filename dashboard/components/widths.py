"""How wide a text is drawn: boxes and columns get the room that what they show needs."""

from collections.abc import Iterable
from heapq import nlargest

WIDEST_LETTER, WIDE, NARROW = 12.5, 8.6, 4.8  # pixels of the font of tables and fields, by kinds of characters
NARROW_CHARACTERS = set(" .,:;[]()|/'·ijlıfrt1I-")
AROUND = 62  # pixels of a select box beside its text: padding, arrow and a little to spare
CLEAR = 24  # of the cross that empties it
MEASURED = 50  # of the longest texts: a set can have thousands of speakers
NARROWEST, WIDEST = 110, 320  # on a phone a box has 358 pixels


def pixels(text: str) -> float:
    """About how wide the text is."""
    return sum(
        NARROW if character in NARROW_CHARACTERS else WIDEST_LETTER if character in "mMwW" else WIDE  # not shown
        for character in text
    )


def box_width(texts: Iterable[str], *, clears: bool = False) -> int:
    """Pixels of a select box, or of a field with a symbol, in which none of `texts` is cut, as far as a phone has room
    for it; `clears` where what was chosen can be emptied."""
    widest = max(map(pixels, nlargest(MEASURED, texts, key=len)), default=0.0) + AROUND + (CLEAR if clears else 0)
    return int(min(WIDEST, max(NARROWEST, widest)))
