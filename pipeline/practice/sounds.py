"""How every sound is made, in a line for learners: of English by its phones (`pipeline.phones`), of Turkish by its
letters, which stand for one sound each. Shown through `_`."""

from dataclasses import dataclass

from pipeline.i18n import N_
from pipeline.phones import PHONES

TURKISH: dict[str, str] = {
    "a": N_("a: mouth wide open, tongue low; as in father."),
    "b": N_("b: close the lips, voice on, and let go."),
    "c": N_("c: as j in job."),
    "ç": N_("ç: as ch in cheese."),
    "d": N_("d: tongue tip on the upper teeth, voice on, and let go."),
    "e": N_("e: mouth half open, tongue to the front; as in bed."),
    "f": N_("f: upper teeth on the lower lip, and blow."),
    "g": N_("g: back of the tongue up, voice on, and let go."),
    "ğ": N_("ğ: silent; it makes the vowel before it longer."),
    "h": N_("h: a breath, also at the end of a word."),
    "ı": N_("ı: tongue back as for u, lips flat as for i."),
    "i": N_("i: lips spread, tongue high and to the front; as in see, but short."),
    "j": N_("j: as s in measure."),
    "k": N_("k: back of the tongue up, and let go; no voice."),
    "l": N_("l: tongue tip behind the upper teeth, air over both sides."),
    "m": N_("m: close the lips and hum."),
    "n": N_("n: tongue tip behind the upper teeth, and hum through the nose."),
    "o": N_("o: lips round and half open; do not glide."),
    "ö": N_("ö: say e and round the lips."),
    "p": N_("p: close the lips and let go; no voice."),
    "r": N_("r: one tap of the tongue tip behind the teeth."),
    "s": N_("s: tongue close behind the upper teeth, and hiss; no voice."),
    "ş": N_("ş: as sh in she."),
    "t": N_("t: tongue tip on the upper teeth, and let go; no voice."),
    "u": N_("u: lips small and round, tongue high and back; do not glide."),
    "ü": N_("ü: say i and round the lips tightly."),
    "v": N_("v: lower lip lightly to the upper teeth, voice on."),
    "y": N_("y: as y in yes."),
    "z": N_("z: as s, with the voice on."),
}


@dataclass(frozen=True)
class KnownSound:
    """How a sound is shown to learners (English in IPA, Turkish as its letter), a word that has it ("" where the hint
    has one), and how it is made."""

    shown: str
    example: str
    hint: str


def known_sound(symbol: str) -> KnownSound:
    """A phone of CMU, a Turkish letter, or the symbol itself where it is neither."""
    if symbol in PHONES:
        phone = PHONES[symbol]
        return KnownSound(phone.ipa, phone.example, phone.hint)
    return KnownSound(symbol, "", TURKISH.get(symbol, ""))


def sounds_of(language: str) -> tuple[str, ...]:
    """Every sound of a language that drills know; none for others."""
    return {"en": tuple(PHONES), "tr": tuple(TURKISH)}.get(language, ())


def how_to_say(language: str, sound: str) -> str:
    """A catalogue string; "" for a sound that is not known."""
    if language == "tr":
        return TURKISH.get(sound, "")
    return PHONES[sound].hint if sound in PHONES else ""
