"""The 39 phones of the CMU dictionary, how they are written elsewhere, and how they are made."""

from dataclasses import dataclass

from pipeline.i18n import N_

UNKNOWN = "<unk>"  # a sound that no phone fits
DELETED = "<del>"  # nothing was said


@dataclass(frozen=True)
class Phone:
    """`ipa` as dictionaries write it, `example` a word that has it, `hint` how it is made, for learners (see `_`)."""

    symbol: str
    ipa: str
    example: str
    hint: str
    is_vowel: bool = False


_VOWELS = (
    Phone("AA", "ɑ", "father", N_("Open the mouth wide, tongue low and back, lips relaxed."), True),
    Phone("AE", "æ", "cat", N_("Open the mouth, spread the lips a little, tongue low and to the front."), True),
    Phone("AH", "ʌ", "cup", N_("A short, relaxed sound from the middle of the mouth; weaker where unstressed."), True),
    Phone("AO", "ɔ", "thought", N_("Round the lips, tongue low and back; keep it long."), True),
    Phone("AW", "aʊ", "now", N_("Start with an open mouth, then close to rounded lips, in one glide."), True),
    Phone("AY", "aɪ", "my", N_("Start with an open mouth and glide to a smile."), True),
    Phone("EH", "ɛ", "bed", N_("Mouth half open, tongue to the front; shorter and more open than in “bay”."), True),
    Phone("ER", "ɝ", "bird", N_("Curl or bunch the tongue and hold it; it touches nothing."), True),
    Phone("EY", "eɪ", "say", N_("Start like “bed” and glide to a smile."), True),
    Phone("IH", "ɪ", "sit", N_("Short and relaxed; do not spread the lips as in “seat”."), True),
    Phone("IY", "i", "see", N_("Long, with the lips spread and the tongue high and to the front."), True),
    Phone("OW", "oʊ", "go", N_("Start half open and close the lips to a small circle."), True),
    Phone("OY", "ɔɪ", "boy", N_("Start with round lips and glide to a smile."), True),
    Phone("UH", "ʊ", "book", N_("Short and relaxed, lips only slightly round."), True),
    Phone("UW", "u", "blue", N_("Long, with the lips in a small tight circle."), True),
)  # fmt: skip
_CONSONANTS = (
    Phone("B", "b", "bad", N_("Close the lips, switch the voice on, and let go.")),
    Phone("CH", "tʃ", "cheese", N_("Tongue behind the teeth as for T, then let the air rush out as for SH; no voice.")),
    Phone("D", "d", "day", N_("Tongue tip behind the upper teeth, voice on, and let go; at a word's end too.")),
    Phone("DH", "ð", "this", N_("Put the tongue tip between the teeth and let the voice buzz; not D or Z.")),
    Phone("F", "f", "fine", N_("Upper teeth on the lower lip, and blow.")),
    Phone("G", "ɡ", "go", N_("Back of the tongue against the soft palate, voice on, and let go.")),
    Phone("HH", "h", "hat", N_("Just breathe out; no scraping in the throat.")),
    Phone("JH", "dʒ", "job", N_("As CH, with the voice on.")),
    Phone("K", "k", "cat", N_("Back of the tongue against the soft palate, and let go with a puff of air.")),
    Phone(
        "L",
        "l",
        "light",
        N_("Tongue tip behind the upper teeth, air over both sides; keep the tip up at a word's end."),
    ),
    Phone("M", "m", "man", N_("Close the lips and hum.")),
    Phone("N", "n", "no", N_("Tongue tip behind the upper teeth, and hum through the nose.")),
    Phone("NG", "ŋ", "sing", N_("Back of the tongue up, hum through the nose; no G after it.")),
    Phone("P", "p", "pen", N_("Close the lips and let go with a puff of air; no voice.")),
    Phone("R", "ɹ", "red", N_("Pull the tongue back so that it touches nothing, lips slightly round.")),
    Phone("S", "s", "see", N_("Tongue close behind the upper teeth, and hiss; no voice.")),
    Phone("SH", "ʃ", "she", N_("Lips forward, tongue further back than for S, and hush.")),
    Phone("T", "t", "tea", N_("Tongue tip behind the upper teeth, and let go with a puff of air.")),
    Phone("TH", "θ", "think", N_("Put the tongue tip between the teeth and blow; not S, T or F.")),
    Phone("V", "v", "very", N_("Upper teeth on the lower lip, and let the voice buzz; not W.")),
    Phone("W", "w", "we", N_("Round the lips tightly, then open; the teeth do not touch the lip.")),
    Phone("Y", "j", "yes", N_("Tongue high as for “see”, then glide into the next vowel.")),
    Phone("Z", "z", "zoo", N_("As S, with the voice on; at a word's end too.")),
    Phone("ZH", "ʒ", "vision", N_("As SH, with the voice on.")),
)
PHONES: dict[str, Phone] = {phone.symbol: phone for phone in sorted((*_VOWELS, *_CONSONANTS), key=lambda p: p.symbol)}


def bare(phone: str) -> str:
    """A CMU phone without its stress digit; speechocean762 writes G0 and G1 for G."""
    return phone.rstrip("012")


def stress_of(phone: str) -> int:
    """0 unstressed or a consonant, 1 primary, 2 secondary stress."""
    return int(phone[-1]) if phone[-1:].isdigit() else 0
