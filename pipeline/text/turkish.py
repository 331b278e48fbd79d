"""The sounds of Turkish, which is written as it is spoken: one sound for each letter."""

from pipeline.text.signs import lower

# Letters and their usual sound in IPA. ğ lengthens the vowel before it, and is marked as a sound of its own.
SOUNDS = {
    "a": "a", "b": "b", "c": "dʒ", "ç": "tʃ", "d": "d", "e": "e", "f": "f", "g": "ɟ", "ğ": "ː", "h": "h", "ı": "ɯ",
    "i": "i", "j": "ʒ", "k": "k", "l": "l", "m": "m", "n": "n", "o": "o", "ö": "ø", "p": "p", "r": "ɾ", "s": "s",
    "ş": "ʃ", "t": "t", "u": "u", "ü": "y", "v": "v", "y": "j", "z": "z",
}  # fmt: skip
# Written in loanwords and names, and said as these.
_AS = {"â": "a", "î": "i", "û": "u", "q": "k", "w": "v", "x": "ks"}
_FOREIGN = str.maketrans(_AS)


def sounds_of(word: str) -> tuple[str, ...]:
    """The sounds of a word, each as the letter that stands for it: `("a", "ğ", "a", "ç")` of `AĞAÇ`. What is no letter
    is left out."""
    return tuple(letter for letter in lower(word, "tr").translate(_FOREIGN) if letter in SOUNDS)
