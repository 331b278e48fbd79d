"""The language of what is read, by its ISO 639 code: one rule wherever a language is taken."""

from functools import cache

from pipeline.errors import UnknownNameError
from pipeline.i18n import N_

UNDETERMINED = "und"  # ISO 639: nobody has said which
# Those that come with models.
LANGUAGE_NAMES = {"en": N_("English"), "tr": N_("Turkish")}
NO_LANGUAGES = frozenset(("mul", "zxx"))  # ISO 639: several, and none


def language_code(given: str) -> str:
    """The code that models and sets have: `tr` for `tr`, `TR`, `tr-TR` and `tur`; `und` where nobody has said which.

    Raises UnknownNameError for what is the code of no language.
    """
    code = given.strip().lower().replace("_", "-").partition("-")[0]
    names, aliases = _codes()
    code = aliases.get(code, code)
    if code not in names or code in NO_LANGUAGES:
        raise UnknownNameError(
            N_(
                "The language “{language}” is not known here. Known are {known}; others take their ISO 639 code, such "
                "as de for German."
            ),
            language=given.strip()[:40],
            known=", ".join(f"{known} ({name})" for known, name in LANGUAGE_NAMES.items()),
        )
    return code


def is_language_code(code: object) -> bool:
    """Whether it is the code of a known language, as files of ours have it."""
    try:
        return isinstance(code, str) and language_code(code) == code
    except UnknownNameError:
        return False


@cache
def _codes() -> tuple[frozenset[str], dict[str, str]]:
    """The codes that Unicode's CLDR has a name for, and the ones that others are written for."""
    from babel import Locale
    from babel.core import get_global

    return frozenset(Locale.parse("en").languages), dict(get_global("language_aliases"))
