"""The card of a model of sounds."""

from typing import Any

from pipeline.scoring.sounds.model_files import SoundsInfo
from pipeline.times import utc_time

ROWS = (
    ("auc", "AUC of wrong sounds against right ones"),
    ("false_sounds", "false marks on the sounds of faultless words"),
    ("false_words", "faultless words with any false mark"),
    ("neighbours", "false marks on right sounds of a word with a fault"),
    ("precision", "marked sounds that are wrong"),
    ("recall", "wrong sounds that are marked"),
)
SYNTHETIC = """> **Experimental.** Everything it was trained and measured on is synthetic: the voices of eSpeak NG, with
> faults that were put in. How often it is right about people is not known.
"""


def card(info: SoundsInfo, command: str) -> str:
    n = info.held_out["n"]
    others = {name: title for name, title in (("clean_sound", "without noise"), ("noise", "in noise and rooms"))
              if name in info.held_out}  # fmt: skip
    heads = ["all", *others.values()]
    sources = [info.held_out, *(info.held_out[name] for name in others)]
    table = [
        f"| | {' | '.join(heads)} |",
        "|---" * (len(heads) + 1) + "|",
        *(f"| {title} | {' | '.join(figure(source[name], name) for source in sources)} |" for name, title in ROWS),
    ]
    faults = [
        "| fault | n | marked |", "|---|---|---|",
        *(
            f"| {kind} | {row['n']} | {row['recall']:.0%} |"
            for kind, row in sorted(info.held_out["recall_by_fault"].items(), key=lambda item: -item[1]["n"])
        ),
    ]  # fmt: skip
    labels = "synthetic speech" if info.synthetic else "sounds that experts marked"
    day = utc_time(info.created_at).date() if info.created_at else ""
    return "\n".join(
        [
            f"# {info.model_id}",
            "",
            f"Says of each sound of a word ({info.language}) whether it is right, beside a reference recording.",
            "",
            *([SYNTHETIC] if info.synthetic else []),
            f"- For: learners who practise single words ({info.language}); `pronlab score` and the Practise page.",
            "- Not for: grades, examinations or any decision about a person; telling which other sound was said.",
            f"- Trained on {info.trained_on}: {info.n_recordings} recordings of {info.n_words} words; {labels}. Seed "
            f"{info.seed}, commit `{(info.git_commit or '')[:7]}`, {day}.",
            f"- Reads layer {info.layer} of the encoder of `{info.listener}`. A linear map of its states to "
            f"{len(info.sounds)} sounds, and a network of one hidden layer on {len(info.measures)} measures of each.",
            f"- A sound is marked from a probability of {info.threshold:.3f} on: on validation voices 5 % of the "
            f"faultless words have any mark.",
            f"- The figures are of {n['voices']} voices and their words that nothing was fitted to or chosen on: "
            f"{n['sounds']} sounds beside a reference, {n['wrong']} of them wrong, {n['clean_words']} faultless words. "
            f"In brackets the 95 % bootstrap interval over voices.",
            "- The weights are under this project's licence (MIT).",
            "",
            *table,
            "",
            *faults,
            "",
            f"Made by `{command}`.",
            "",
        ]
    )


def figure(measured: dict[str, Any], name: str) -> str:
    """`0.934 [0.921, 0.947]` of an AUC, `3.1 % [2.0, 4.4]` of a share."""
    if measured["value"] is None:
        return "-"
    scale, digits, unit = (1.0, 3, "") if name == "auc" else (100.0, 1, " %")
    between = ""
    if measured["low"] is not None:
        between = f" [{scale * measured['low']:.{digits}f}, {scale * measured['high']:.{digits}f}]"
    return f"{scale * measured['value']:.{digits}f}{unit}{between}"
