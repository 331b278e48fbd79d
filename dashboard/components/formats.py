"""How Streamlit's fields write what they hold, as the reader's language writes it."""

from pipeline.i18n import language, percent


def percent_format() -> str:
    """Of whole percents, for sliders and bars: "%.0f%%" in English, "%%%.0f" in Turkish."""
    return percent(0.0).replace("%", "%%").replace("0", "%.0f")


def date_format() -> str:
    """Of dates: day, month and year in the language's order, DD.MM.YYYY in Turkish. English has many; ISO is plain."""
    from babel import Locale

    if language() == "en":
        return "YYYY-MM-DD"
    pattern = str(Locale.parse(language()).date_formats["short"].pattern)
    mark = next((character for character in pattern if character in "./-"), "-")
    parts = sorted(("DD", "MM", "YYYY"), key=lambda part: pattern.lower().find(part[0].lower()))
    return mark.join(parts)
