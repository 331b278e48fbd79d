"""What a training draws its windows from: rendered features of each class, memory-mapped.

    <folder>/<class>.npy     float16 [frames, bins], the rendered stretches after each other
    <folder>/pools.json      what they were made from and how, their lengths, and a digest that training checks

Pools made with another configuration or from other clips are refused with both sides named: a detector trained on one
kind of feature and fed another fails without a word.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline import artifacts
from pipeline.audio.load import audio_files
from pipeline.errors import FeatureError, said_by
from pipeline.i18n import N_, Message, joined
from pipeline.parallel import Progress, map_ordered
from pipeline.records import to_json
from pipeline.wakeword.data.clips import Clip, Label
from pipeline.wakeword.data.noise import read_noise
from pipeline.wakeword.data.rendering import Recipe, Values, Windows, context_of, rendered, tasks_of
from pipeline.wakeword.data.rooms import read_rooms
from pipeline.wakeword.embedding import digest_of_embedding

INDEX = "pools.json"


class WindowSource(Protocol):
    """Where batches of one class come from."""

    @property
    def n_windows(self) -> int: ...

    def sample(self, n: int, draw: np.random.Generator) -> Windows:
        """[n, frames, bins], drawn evenly."""
        ...


@dataclass(frozen=True)
class Pool:
    """Stretches of `lengths` frames in `values` [frames, bins]; every window of `size` frames within one may be drawn,
    or those from `only` (first frames) alone. `words` is which of several words each stretch holds."""

    values: Values
    lengths: tuple[int, ...]
    size: int
    only: NDArray[np.intp] | None = None
    words: tuple[int, ...] = ()

    @cached_property
    def starts(self) -> NDArray[np.intp]:
        """First frames of all windows."""
        if self.only is not None:
            return self.only
        ends = np.cumsum(self.lengths)
        parts = [np.arange(end - n, end - self.size + 1) for end, n in zip(ends, self.lengths, strict=True)]
        return np.concatenate(parts) if parts else np.zeros(0, dtype=np.intp)

    @property
    def n_windows(self) -> int:
        return len(self.starts)

    def sample(self, n: int, draw: np.random.Generator) -> Windows:
        return self.at(self.starts[draw.integers(0, len(self.starts), n)])

    def at(self, starts: NDArray[np.intp]) -> Windows:
        """[n, frames, bins] from these first frames."""
        return np.asarray(self.values[starts[:, None] + np.arange(self.size)], dtype=np.float32)

    def narrowed(self, starts: NDArray[np.intp]) -> "Pool":
        return Pool(self.values, self.lengths, self.size, np.asarray(starts, dtype=np.intp))

    def of_word(self, word: int) -> "Pool":
        """The windows of one of several words."""
        starts = [
            np.arange(at, at + len(frames) - self.size + 1)
            for (at, frames), held in zip(self.stretches(), self.words, strict=True)
            if held == word
        ]
        return self.narrowed(np.concatenate(starts) if starts else np.zeros(0, dtype=np.intp))

    def stretches(self) -> Iterator[tuple[int, Values]]:
        """First frame and frames of each."""
        edges = np.concatenate([[0], np.cumsum(self.lengths)]).astype(int)
        for start, end in pairwise(edges):
            yield start, self.values[start:end]


Pools = Mapping[Label, Pool]


def make_pools(
    folder: Path,
    root: Path,
    clips: Sequence[Clip],
    recipe: Recipe,
    progress: Progress | None = None,
    check_stop: Callable[[], None] | None = None,
) -> dict[Label, Pool]:
    """Render them in processes and keep them; pools that fit already are opened as they are. Raises AudioError for a
    clip that cannot be read any more, CorpusError for noise or rooms that cannot be used."""
    if (folder / INDEX).is_file():
        try:
            return open_pools(folder, recipe, clips)
        except FeatureError:
            pass  # made for something else, or damaged: made anew
    read_rooms(recipe.rir), read_noise(recipe.noise)  # what is wrong with them is said before any work
    tasks = tasks_of(clips, recipe)
    context = tuple(root / path for path in context_of(clips))
    folder.parent.mkdir(parents=True, exist_ok=True)
    lengths: dict[str, list[int]] = {}
    words: list[str] = []  # of the positive stretches
    word_of = {clip.path: clip.word for clip in clips}
    used = [0, 0]
    with TemporaryDirectory(prefix=artifacts.TEMPORARY_PREFIX, dir=folder.parent) as temporary, ExitStack() as stack:
        raw: dict[str, BinaryIO] = {}
        made = map_ordered(
            partial(rendered, recipe, root, context), tasks, progress=progress, check_stop=check_stop,
            message=Message(N_("rendering clips")),
        )  # fmt: skip
        for task, (by_label, hits, misses) in zip(tasks, made, strict=True):
            used = [used[0] + hits, used[1] + misses]
            for label, stretches in by_label.items():
                if label not in raw:
                    raw[label] = stack.enter_context(Path(temporary, f"{label}.raw").open("wb+"))
                for stretch in stretches:
                    raw[label].write(stretch.tobytes())
                lengths.setdefault(label, []).extend(len(stretch) for stretch in stretches)
                if label == Label.POSITIVE:
                    words += [word_of[task.paths[0]]] * len(stretches)
        for label, file in raw.items():  # straight to disk: hours of speech need not fit into the memory
            file.seek(0)
            with Path(temporary, f"{label}.npy").open("wb") as whole:
                shape = (sum(lengths[label]), recipe.features.n_bins)
                header = {"descr": "<f2", "fortran_order": False, "shape": shape}
                np.lib.format.write_array_header_2_0(whole, header)
                shutil.copyfileobj(file, whole)
        index = {
            "recipe": written(recipe), "digest": digest_of(clips, recipe), "n_clips": len(clips), "lengths": lengths,
            "cache": {"hits": used[0], "misses": used[1]},
        }  # fmt: skip
        if any(words):
            index["words"] = words
        artifacts.write_json(Path(temporary) / INDEX, index)
        folder.mkdir(exist_ok=True)
        for name in [*(f"{label}.npy" for label in raw), INDEX]:
            Path(temporary, name).replace(folder / name)
    return open_pools(folder, recipe, clips)


def open_pools(folder: Path, recipe: Recipe, clips: Sequence[Clip] | None = None) -> dict[Label, Pool]:
    """Raises FeatureError for pools of another configuration, of other clips, or of another shape than they say,
    naming both sides."""
    index = read_index(folder)
    differences = _differences(index["recipe"], written(recipe))
    if differences:
        raise FeatureError(
            N_("The features in {folder} were made otherwise: {differences}."),
            folder=str(folder),
            differences=joined(differences),
        )
    if clips is not None and index["digest"] != digest_of(clips, recipe):
        raise FeatureError(
            N_("The features in {folder} are of {n_other} other clips, noise or rooms than the {n} clips given here."),
            folder=str(folder),
            n_other=index["n_clips"],
            n=len(clips),
        )
    pools: dict[Label, Pool] = {}
    held = index.get("words", [])
    names = list(dict.fromkeys([*(clip.word for clip in clips or () if clip.word), *held]))
    for label, lengths in index["lengths"].items():
        values = _values(folder, label)
        expected = (sum(lengths), recipe.features.n_bins)
        if values.shape != expected or values.dtype != np.dtype(np.float16):
            raise FeatureError(
                N_("{folder}/{label}.npy is damaged: {found} there, {expected} expected. Make the features again."),
                folder=str(folder),
                label=label,
                found=f"{values.dtype} {values.shape}",
                expected=f"float16 {expected}",
            )
        words = tuple(names.index(word) for word in held) if label == Label.POSITIVE else ()
        pools[Label(label)] = Pool(values, tuple(lengths), recipe.features.shape[0], words=words)
    missing = {clip.label for clip in clips or () if clip.label is not Label.HARD_NEGATIVE} - pools.keys()
    empty = [*sorted(missing), *(label for label, pool in pools.items() if not pool.n_windows)]
    if empty:
        raise FeatureError(
            N_("The features in {folder} hold no window of {classes}. Make them again."),
            folder=str(folder),
            classes=", ".join(empty),
        )
    return pools


def read_index(folder: Path) -> dict[str, Any]:
    """What `pools.json` says. Raises FeatureError where there is none that can be read."""
    try:
        index: dict[str, Any] = artifacts.read_json(folder / INDEX)
        _check_index(index)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise FeatureError(
            N_("{folder} holds no features that can be read ({reason}). `pronlab wakeword features` makes them."),
            folder=str(folder),
            reason=said_by(error),
        ) from error
    return index


def _check_index(index: Mapping[str, Any]) -> None:
    """Raises ValueError, KeyError, TypeError or AttributeError for an index that nobody wrote so."""
    float(index["recipe"]["features"]["hop_s"]), index["digest"], index["n_clips"]
    float(index["cache"]["hits"]), float(index["cache"]["misses"])
    for label, lengths in index["lengths"].items():
        Label(label)
        if not lengths or not all(type(frames) is int and frames > 0 for frames in lengths):
            raise ValueError(f"the lengths of {label} are no numbers of frames")
    words, n_positive = index.get("words", []), len(index["lengths"].get(Label.POSITIVE, ()))
    if not all(isinstance(word, str) for word in words) or len(words) not in (0, n_positive):
        raise ValueError("its words are not those of its positive stretches")


def hit_rate(used: Mapping[str, int]) -> float:
    """Of the cache of decoded sounds, as `pools.json` counts it."""
    return used["hits"] / max(1, used["hits"] + used["misses"])


@dataclass(frozen=True)
class PoolStatistics:
    """Of one feature file; `dead_bins` never change, `not_finite` counts values that are no numbers."""

    stretches: int
    frames: int
    hours: float
    mean: float
    std: float
    lowest: float
    highest: float
    dead_bins: int
    not_finite: int
    size_mb: float


def analyse(folder: Path) -> dict[str, PoolStatistics]:
    """What is in existing feature files, by class. Raises FeatureError."""
    index = read_index(folder)
    hop_s = float(index["recipe"]["features"]["hop_s"])
    statistics: dict[str, PoolStatistics] = {}
    for label, lengths in index["lengths"].items():
        values = _values(folder, label)
        part = values[:: max(1, len(values) // 200_000)].astype(np.float64)
        finite = np.isfinite(part)
        kept = part[finite.all(axis=1)]
        if not len(kept):
            raise FeatureError(
                N_("{folder}/{label}.npy has no frame whose values are all numbers. Make it again."),
                folder=str(folder),
                label=label,
            )
        statistics[label] = PoolStatistics(
            len(lengths), len(values), len(values) * hop_s / 3600.0, float(kept.mean()), float(kept.std()),
            float(kept.min()), float(kept.max()), int((kept.std(axis=0) < 1e-6).sum()), int((~finite).sum()),
            values.nbytes / 1e6,
        )  # fmt: skip
    return statistics


def digest_of(clips: Sequence[Clip], recipe: Recipe) -> str:
    """Of the clips' paths and sounds, in order, and of the noise and rooms mixed in."""
    lines = [
        f"{clip.path}|{clip.label}|{clip.digest}" + f"|{clip.word}" * bool(clip.word) + "|synthetic" * clip.synthetic
        for clip in clips
    ]
    for folder in map(Path, (*recipe.noise, *recipe.rir)):
        lines += [f"{path.name}|{artifacts.sha256_of(path)}" for path in audio_files(folder)]
    if recipe.features.settling:  # without it, features of such a front end were other ones
        lines.append(f"settling {recipe.features.settling}")
    if recipe.features.embedding:
        lines.append(f"embedding {digest_of_embedding(Path(recipe.features.embedding))}")
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def written(recipe: Recipe) -> dict[str, Any]:
    """As `pools.json` has it. The name of an embedding only where there is one: features without have not changed."""
    values: dict[str, Any] = to_json(recipe)
    if not recipe.features.embedding:
        del values["features"]["embedding"]
    return values


def place_of(root: Path, clips: Sequence[Clip], recipe: Recipe) -> Path:
    """The folder under `root` for just these features."""
    text = json.dumps(written(recipe), sort_keys=True) + digest_of(clips, recipe)
    return root / hashlib.sha256(text.encode()).hexdigest()[:16]


def _values(folder: Path, label: str) -> Values:
    try:
        return np.asanyarray(np.load(folder / f"{label}.npy", mmap_mode="r", allow_pickle=False))
    except (OSError, ValueError, EOFError) as error:
        raise FeatureError(
            N_("{folder}/{label}.npy cannot be read ({reason}). Make the features again."),
            folder=str(folder),
            label=label,
            reason=said_by(error),
        ) from error


def _differences(there: Mapping[str, Any], here: Mapping[str, Any], prefix: str = "") -> list[str]:
    differences: list[str] = []
    for name in here:
        theirs, ours = there.get(name), here[name]
        if isinstance(theirs, Mapping) and isinstance(ours, Mapping):
            differences += _differences(theirs, ours, f"{prefix}{name}.")
        elif theirs != ours:
            difference = N_("{name} {theirs} there, {ours} here")
            differences.append(Message(difference, name=f"{prefix}{name}", theirs=str(theirs), ours=str(ours)))
    return differences
