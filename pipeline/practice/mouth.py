"""How a mouth looks inside while a sound is made: a side view, drawn from a few numbers for each sound.

The face looks to the left. Lips and teeth are at the left, the palate above, the tongue a filled shape. A dashed tongue
is where a gliding vowel ends. A wave at the throat is the voice, an arrow the air: out of the mouth or of the nose.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Mouth:
    """`x` 0 (front) to 1 (back) and `y` 0 (low) to 1 (at the palate) are the highest place of the tongue; `tip` is
    where its tip is, `to` the end of a glide."""

    x: float = 0.5
    y: float = 0.35
    opening: float = 0.4
    lips: str = "neutral"  # or round, spread, closed, teeth
    tip: str = "low"  # or between, ridge, near, curled
    voiced: bool = True
    nose: bool = False
    air: bool = False
    to: tuple[float, float] | None = None


_SCHWA = Mouth()
_HISS = Mouth(0.4, 0.5, 0.2, "spread", "near", air=True)
_HUSH = Mouth(0.32, 0.8, 0.25, "round", "near", air=True)
_BACK = Mouth(0.8, 1.0, 0.4)
_TIP = Mouth(tip="ridge", opening=0.3)
_LIPS = Mouth(lips="closed", opening=0.2)


def _voiceless(mouth: Mouth) -> Mouth:
    return replace(mouth, voiced=False, air=True)


ENGLISH: dict[str, Mouth] = {
    "AA": Mouth(0.7, 0.1, 1.0), "AE": Mouth(0.25, 0.2, 0.9, "spread"), "AH": Mouth(0.55, 0.35, 0.6),
    "AO": Mouth(0.8, 0.3, 0.7, "round"), "AW": Mouth(0.5, 0.15, 0.9, to=(0.85, 0.75)),
    "AY": Mouth(0.5, 0.15, 0.9, to=(0.15, 0.8)), "EH": Mouth(0.22, 0.45, 0.6),
    "ER": Mouth(0.5, 0.55, 0.35, tip="curled"), "EY": Mouth(0.22, 0.5, 0.5, "spread", to=(0.14, 0.8)),
    "IH": Mouth(0.25, 0.72, 0.35), "IY": Mouth(0.14, 0.84, 0.25, "spread"),
    "OW": Mouth(0.8, 0.5, 0.5, "round", to=(0.88, 0.85)), "OY": Mouth(0.8, 0.35, 0.6, "round", to=(0.15, 0.8)),
    "UH": Mouth(0.8, 0.75, 0.35, "round"), "UW": Mouth(0.85, 0.92, 0.25, "round"),
    "B": _LIPS, "P": _voiceless(_LIPS), "M": replace(_LIPS, nose=True),
    "F": Mouth(lips="teeth", opening=0.2, voiced=False, air=True), "V": Mouth(lips="teeth", opening=0.2, air=True),
    "TH": Mouth(tip="between", opening=0.3, voiced=False, air=True), "DH": Mouth(tip="between", opening=0.3, air=True),
    "T": _voiceless(_TIP), "D": _TIP, "N": replace(_TIP, nose=True), "L": replace(_TIP, air=True),
    "S": _voiceless(_HISS), "Z": _HISS, "SH": _voiceless(_HUSH), "ZH": _HUSH,
    "CH": replace(_HUSH, tip="ridge", voiced=False), "JH": replace(_HUSH, tip="ridge"),
    "K": _voiceless(_BACK), "G": _BACK, "NG": replace(_BACK, nose=True), "HH": _voiceless(_SCHWA),
    "R": Mouth(0.55, 0.5, 0.35, "round", "curled"), "W": Mouth(0.85, 0.85, 0.2, "round"),
    "Y": Mouth(0.16, 0.82, 0.3, "spread"),
}  # fmt: skip
TURKISH: dict[str, Mouth] = {
    "a": Mouth(0.6, 0.1, 1.0), "e": Mouth(0.22, 0.4, 0.6), "ı": Mouth(0.75, 0.9, 0.3, "spread"), "i": ENGLISH["IY"],
    "o": Mouth(0.8, 0.5, 0.5, "round"), "ö": Mouth(0.22, 0.5, 0.45, "round"), "u": ENGLISH["UW"],
    "ü": Mouth(0.14, 0.84, 0.25, "round"), "b": ENGLISH["B"], "c": ENGLISH["JH"], "ç": ENGLISH["CH"], "d": ENGLISH["D"],
    "f": ENGLISH["F"], "g": ENGLISH["G"], "ğ": _SCHWA, "h": ENGLISH["HH"], "j": ENGLISH["ZH"], "k": ENGLISH["K"],
    "l": ENGLISH["L"], "m": ENGLISH["M"], "n": ENGLISH["N"], "p": ENGLISH["P"], "r": _TIP, "s": ENGLISH["S"],
    "ş": ENGLISH["SH"], "t": ENGLISH["T"], "v": ENGLISH["V"], "y": ENGLISH["Y"], "z": ENGLISH["Z"],
}  # fmt: skip
MOUTHS = {"en": ENGLISH, "tr": TURKISH}


def mouth_svg(language: str, sound: str) -> str:
    """On a light ground of its own, as pictures do not know the page's colours. "" for a sound that is not known."""
    mouth = MOUTHS.get(language, {}).get(sound)
    return "" if mouth is None else _drawn(mouth)


def _drawn(mouth: Mouth) -> str:
    drop = 14 * mouth.opening  # of the jaw
    parts = [
        # Nose, palate with the ridge behind the teeth, soft palate, back of the throat.
        '<path d="M30 8 L14 34 L24 38" />',
        f'<path d="M34 46 L37 40 Q46 24 66 24 Q84 25 90 {46 if mouth.nose else 36}" />',
        '<path d="M104 14 L104 108" />',
        # Chin and jaw.
        f'<path d="M24 {66 + drop} Q26 {88 + drop} 52 {92 + drop} L80 108" />',
        _teeth(drop), _lips(mouth, drop),
        _tongue(mouth, (mouth.x, mouth.y), drop, 'fill="#cc79a7" fill-opacity="0.35"'),
    ]  # fmt: skip
    if mouth.to is not None:
        parts.append(_tongue(mouth, mouth.to, drop, 'fill="none" stroke-dasharray="3 3"'))
    if mouth.voiced:
        parts.append('<path d="M84 111 q2.5 -6 5 0 t5 0 t5 0" />')
    if mouth.nose:
        parts.append('<path d="M98 40 Q92 18 40 22 M46 18 L39 22 L46 27" stroke-width="1.5" />')
    elif mouth.air:
        y = 52 + drop / 2
        parts.append(f'<path d="M12 {y} L1 {y} M5 {y - 4} L1 {y} L5 {y + 4}" stroke-width="1.5" />')
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="-4 0 118 118" fill="none" stroke="#22303c" '
        'stroke-width="2.2" stroke-linecap="round" stroke-linejoin="round">'
        '<rect x="-4" width="118" height="118" rx="8" fill="#f2f5f7" stroke="none" />'
        f"{''.join(parts)}</svg>"
    )


def _teeth(drop: float) -> str:
    return (
        '<path d="M30 44 L34 46 L32 55 Z" fill="#22303c" stroke="none" />'
        f'<path d="M30 {68 + drop} L34 {66 + drop} L32 {58 + drop} Z" fill="#22303c" stroke="none" />'
    )


def _lips(mouth: Mouth, drop: float) -> str:
    forward = {"round": -7.0, "spread": 3.0}.get(mouth.lips, 0.0)
    upper, lower = 45.0, 65.0 + drop
    if mouth.lips == "closed":
        upper, lower = 50.0, 57.0
    elif mouth.lips == "teeth":
        lower = 57.0
    elif mouth.lips == "round":
        upper, lower = upper + 3, lower - 3 - drop / 3
    x = 22 + forward + (5 if mouth.lips == "teeth" else 0)
    return "".join(
        f'<ellipse cx="{at:.1f}" cy="{y:.1f}" rx="6" ry="3.6" fill="#d55e00" fill-opacity="0.55" />'
        for at, y in ((22 + forward, upper), (x, lower))
    )


def _tongue(mouth: Mouth, top: tuple[float, float], drop: float, look: str) -> str:
    """From its root over its back to the tip, and back under it."""
    back_x, back_y = 44 + 44 * top[0], 76 + drop / 2 - (50 + drop / 2) * top[1] + 4 * abs(top[0] - 0.5)
    tip_x, tip_y = {
        "between": (25.0, 56.0 + drop / 2), "ridge": (37.0, 43.0), "near": (37.0, 50.0), "curled": (50.0, 48.0),
    }.get(mouth.tip, (37.0, 66.0 + drop))  # fmt: skip
    return (
        f'<path {look} d="M98 104 Q100 {back_y + 14:.1f} {back_x + 8:.1f} {back_y + 2:.1f} '
        f"Q{back_x:.1f} {back_y - 3:.1f} {back_x - 9:.1f} {back_y + 4:.1f} "
        f"Q{(back_x + tip_x) / 2 - 4:.1f} {(back_y + tip_y) / 2 + 6:.1f} {tip_x:.1f} {tip_y:.1f} "
        f'Q{tip_x + 8:.1f} {tip_y + 12:.1f} {tip_x + 14:.1f} {86 + drop:.1f} Z" />'
    )
