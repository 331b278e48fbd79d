"""Commands on clips: add, scan, quarantine, split, analyse."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from pipeline.cli._background import background_run, run_option, stoppable
from pipeline.cli._languages import LANGUAGE
from pipeline.cli._numbers import SEED
from pipeline.cli._output import counted, emit, json_option, pairs, progress_printer
from pipeline.cli._outputs import OUTPUT_FOLDER
from pipeline.cli.wakeword._folders import clips_folder, plain_folder
from pipeline.i18n import N_, about, duration
from pipeline.records import to_json
from pipeline.text import one_line, printable

if TYPE_CHECKING:
    from pipeline.wakeword.data.clips import ClipScan

SHOWN = 10
root_argument = click.argument("root", type=click.Path(path_type=Path))
map_option = click.option(
    "--map", "mapping", multiple=True, metavar="FOLDER=CLASS", help="Class of a folder with another name; repeatable."
)
source_option = click.option(
    "--source", "pattern", help="Regular expression whose first group in a clip's path is the speaker."
)


@click.command()
@click.argument("word")
@click.option("--out", type=OUTPUT_FOLDER, required=True, help="Folder to write.")
@click.option(
    "--clips", "n_clips", type=click.IntRange(1, 100_000), default=400, show_default=True, help="Clips of the word."
)
@click.option(
    "--near", "n_near", type=click.IntRange(0, 100_000), help="Clips of near phrases (default: half as many)."
)
@click.option(
    "--other", "n_other", type=click.IntRange(0, 100_000), help="Clips of other words (default: half as many)."
)
@click.option("--language", type=LANGUAGE, default="en", show_default=True, help="Language of the word.")
@click.option(
    "--say",
    "pronunciations",
    multiple=True,
    help="Speak this in place of the word: another spelling, or [[phonemes]] of eSpeak NG; repeatable.",
)
@click.option(
    "--voices",
    "folders",
    type=plain_folder,
    multiple=True,
    help="Folder with voices of Piper (NAME.onnx, NAME.onnx.json) or Kokoro (kokoro*.onnx, voices/); repeatable.",
)
@click.option(
    "--from-speech",
    "speech",
    type=clips_folder,
    multiple=True,
    help="Folder of English recordings whose sounds are joined to the word; repeatable.",
)
@click.option(
    "--source", "source_pattern", help="Regular expression whose first group in a recording's path is the speaker."
)
@click.option("--seed", type=SEED, default=0, show_default=True, help="Seed of all random draws.")
@run_option
@json_option
def speak(word: str, out: Path, run: Path | None, as_json: bool, **options: Any) -> None:
    """Speak WORD and phrases near it with the synthesisers of this machine, to train on before anybody has recorded
    it. The folder is one of positives for `pronlab wakeword train`; what was spoken into it before is replaced."""
    from pipeline.settings import Settings
    from pipeline.text import composed
    from pipeline.wakeword.data.speaking import Spoken
    from pipeline.wakeword.data.speaking import speak as speak_word

    if options["source_pattern"] and not options["speech"]:
        raise click.UsageError("--source names the speakers of --from-speech: add it, or leave --source away.")
    foreign = sorted({letter for letter in composed(word) if letter.isalpha() and not letter.isascii()})
    if foreign and click.get_current_context().get_parameter_source("language") is ParameterSource.DEFAULT:
        raise click.UsageError(
            f"{word!r} has letters that English words seldom have ({', '.join(foreign)}): say which language it is "
            f"spoken in, e.g. --language tr (or --language en)."
        )
    made: list[Spoken] = []
    with background_run(run, N_("Speaking")) as work:
        made.append(speak_word(Settings.from_env(), word, out, progress=stoppable(work), **options))
    if not made:  # it was stopped
        return
    (spoken,) = made
    text = (
        f"{counted(spoken.clips, 'clip')} of {word!r}, {spoken.near} of similar phrases{_named(spoken.phrases)} "
        f"and {spoken.other} of other words in {counted(len(spoken.voices), 'voice')}, in {out}. All of them are "
        f"synthetic: measure a detector on recordings of people. Train one with `pronlab wakeword train --positive "
        f"{shlex.quote(str(out))}`."
    )
    if spoken.replaced:
        text += f" They take the place of {counted(spoken.replaced, 'clip')} spoken there before."
    emit(spoken, as_json, text)


def _named(phrases: Sequence[str]) -> str:
    """The first of them, in brackets."""
    if not phrases:
        return ""
    more = f" and {len(phrases) - SHOWN} more" if len(phrases) > SHOWN else ""
    return f" ({', '.join(phrases[:SHOWN])}{more})"


@click.command()
@root_argument
@map_option
@source_option
@json_option
def scan(root: Path, mapping: tuple[str, ...], pattern: str | None, as_json: bool) -> None:
    """List the clips of a folder and their problems."""
    clips = _scanned(root, mapping, pattern)
    emit(_summary(clips), as_json, _text(clips))


@click.command()
@root_argument
@map_option
@click.option(
    "--to",
    "folder",
    type=OUTPUT_FOLDER,
    help="Folder to move them to (default: ROOT_quarantine beside ROOT).",
)
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@json_option
def quarantine(root: Path, mapping: tuple[str, ...], folder: Path | None, yes: bool, as_json: bool) -> None:
    """Move unusable clips to another folder. Nothing is deleted."""
    from pipeline.wakeword.data.clips import quarantine as set_aside

    clips = _scanned(root, mapping, None)
    target = folder or root.absolute().with_name(f"{root.absolute().name}_quarantine")
    if clips.bad and not yes:
        click.confirm(f"{printable(_text(clips))}\nMove {counted(len(clips.bad), 'clip')} to {target}?", abort=True)
    moved = set_aside(clips, target)
    text = f"{counted(len(moved), 'clip')} moved to {target}." if moved else "No clip is unusable: none was moved."
    emit({"moved": moved, "folder": target}, as_json, text)


@click.command()
@root_argument
@map_option
@source_option
@click.option("--out", type=OUTPUT_FOLDER, required=True, help="Folder for the split.")
@click.option("--validation", type=float, default=0.15, show_default=True, help="Share of validation clips.")
@click.option("--test", type=float, default=0.15, show_default=True, help="Share of test clips.")
@click.option("--folds", type=int, default=0, help="Number of folds within the training part.")
@click.option("--seed", type=SEED, default=0, show_default=True, help="Seed of all random draws.")
@json_option
def split(
    root: Path, mapping: tuple[str, ...], pattern: str | None, out: Path, as_json: bool, seed: int, **shares: Any
) -> None:
    """Split the clips into train, validation and test parts by speaker, and write a manifest."""
    from collections import Counter

    from pipeline.wakeword.data.splits import PARTS, split_clips, write_manifest

    clips = _scanned(root, mapping, pattern)
    placed = split_clips(clips, seed=seed, **shares)
    file = write_manifest(out, placed, root, seed, sources_known=clips.sources_known)
    counts = Counter((str(placement.clip.label), placement.part) for placement in placed)
    rows = {label: {part: counts[label, part] for part in PARTS} for label in sorted({label for label, _ in counts})}
    lines = [f"{label:14} " + ", ".join(f"{part} {n}" for part, n in row.items()) for label, row in rows.items()]
    known = "" if clips.sources_known else "\nNo pattern named the speakers: each file counts as its own source."
    emit({"manifest": file, "parts": rows, "sources_known": clips.sources_known}, as_json, "\n".join(lines) + known)


@click.command()
@click.argument("word")
@click.option("--positive", type=clips_folder, multiple=True, help="Folder of clips of the word; repeatable.")
@click.option("--negative", type=clips_folder, multiple=True, help="Folder of other speech; repeatable.")
@click.option(
    "--hard-negative", type=clips_folder, multiple=True, help="Folder of words that sound similar; repeatable."
)
@click.option("--noise", type=clips_folder, multiple=True, help="Folder of noise; repeatable.")
@click.option("--rir", type=clips_folder, multiple=True, help="Folder of room impulse responses; repeatable.")
@click.option(
    "--test-positive",
    "test_positive",
    type=clips_folder,
    multiple=True,
    help="Folder of clips of the word to evaluate on.",
)
@click.option(
    "--test-background", "test_background", type=clips_folder, multiple=True, help="Folder of speech to evaluate on."
)
@click.option("--test-noise", "test_noise", type=clips_folder, multiple=True, help="Folder of noise to evaluate on.")
@click.option(
    "--test-near",
    "test_near",
    type=clips_folder,
    multiple=True,
    help="Similar phrases to evaluate on: a folder that `pronlab wakeword speak` wrote, or one with a subfolder per "
    "phrase.",
)
@json_option
def add(word: str, as_json: bool, **folders: tuple[Path, ...]) -> None:
    """Copy clips of WORD into this installation, for the Wake word page. A file that it has already, under whatever
    name, is not copied again."""
    from pipeline.settings import Settings
    from pipeline.wakeword.data.clip_library import add_folders

    parts = {name.replace("test_", "evaluation/"): paths for name, paths in folders.items() if paths}
    if not parts:
        raise click.UsageError("Name at least one folder to copy from, e.g. --positive DIR.")
    outcome = add_folders(Settings.from_env(), word, parts, progress_printer("Copying clips"))
    lines = [
        f"{part}: {counted(n, 'clip')}"
        + (f", and {outcome.known[part]} that {word!r} had already" if part in outcome.known else "")
        for part, n in outcome.added.items()
    ]
    emit({"word": word, **to_json(outcome)}, as_json, "\n".join(lines))


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@json_option
def analyse(folder: Path, as_json: bool) -> None:
    """Summarise a folder of feature files: amount per class, ranges, dead bins, invalid values."""
    from pipeline.wakeword.data.feature_cache import analyse as analyse_features

    pools = analyse_features(folder)
    lines = [
        f"{label:14} {s.stretches} stretches, {duration(s.hours)}, mean {s.mean:.2f}, deviation {s.std:.2f}, "
        f"{s.lowest:.1f} to {s.highest:.1f}, {s.dead_bins} dead bins, {s.not_finite} invalid values, "
        f"{s.size_mb:.0f} MB"
        for label, s in pools.items()
    ]
    emit(pools, as_json, "\n".join(lines))


def _scanned(root: Path, mapping: tuple[str, ...], pattern: str | None) -> "ClipScan":
    from pipeline.wakeword.data.clips import scan_clips

    classes = pairs("--map takes FOLDER=CLASS", mapping)
    return scan_clips(root, classes, source_pattern=pattern, progress=progress_printer("Checking clips"))


def _summary(scan: "ClipScan") -> dict[str, Any]:
    return {
        "classes": scan.statistics, "bad": [{"path": c.path, "problems": c.problems} for c in scan.bad],
        "duplicates": scan.duplicates, "sources_known": scan.sources_known, "left_out": scan.left_out,
    }  # fmt: skip


def _text(scan: "ClipScan") -> str:
    lines = [
        f"{label:14} {counted(s.clips, 'clip')}, {duration(s.hours)}, {s.shortest_s:.2f} to {s.longest_s:.2f} s "
        f"(median {s.median_s:.2f}), {s.sources} sources"
        for label, s in scan.statistics.items()
    ]
    lines += [one_line(f"  bad: {about(clip.path, clip.reasons[0])}") for clip in scan.bad[:SHOWN]]
    if len(scan.bad) > SHOWN:
        lines.append(f"  ... and {len(scan.bad) - SHOWN} more (--json lists all)")
    lines += [f"  the same sound: {one_line(', '.join(paths))}" for paths in scan.duplicates[:SHOWN]]
    if scan.left_out:
        more = f" and {len(scan.left_out) - SHOWN} more" if len(scan.left_out) > SHOWN else ""
        shown = one_line(", ".join(scan.left_out[:SHOWN]))
        lines.append(f"  left out, no audio by their names or links that are not followed: {shown}{more}")
    return "\n".join(lines)


COMMANDS = (speak, add, scan, quarantine, split, analyse)
