"""The rubrics of an installation: those that come with Pronlab, and its own in `<data root>/rubrics/NAME.yaml`.

A changed rubric is a new version. Every version that somebody rated with is kept under `rubrics/versions/`, so that
what a rating says can be read as long as the rating is there.
"""

from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline import artifacts
from pipeline.errors import LabelError, UnknownNameError, said_by
from pipeline.i18n import N_, about
from pipeline.people.access import Action, Identity
from pipeline.people.people import permit
from pipeline.records import Problem, RatingEvent, RubricName
from pipeline.rubrics import RUBRICS, SHIPPED
from pipeline.rubrics.files import NAME, RubricError, dump, parse
from pipeline.rubrics.rubric import Rubric
from pipeline.settings import Settings

if TYPE_CHECKING:
    from pipeline.corpus.sets import RecordingSet

SUFFIX = ".yaml"
# The versions of ratings that name none: of corpora, of other programs, and from before versions were kept.
UNNAMED = {RubricName.WORD: "word@c248b15c", RubricName.SENTENCE: "sentence@9f4d2052"}


class RubricLibrary:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._folder = settings.data_root / "rubrics"
        self._kept: dict[str, Rubric] = {}

    def all(self) -> list[Rubric]:
        """Those that can be chosen, the shipped ones first, then by name; damaged files are passed over, and
        `problems` names them."""
        added = []
        for name in self._names():
            with suppress(RubricError):
                added.append(self._read(name))
        return [*RUBRICS.values(), *added]

    def problems(self) -> list[Problem]:
        """What is wrong with files that `all` passes over."""
        problems: list[Problem] = []
        for name in self._names():
            try:
                self._read(name)
            except RubricError as error:
                message = about(f"{name}{SUFFIX}", error.text)
                problems.append(Problem("rubric", message, "error", str(self._file(name))))
        return problems

    def get(self, name: str) -> Rubric:
        """The current version. Raises UnknownNameError where there is none of that name, RubricError for a damaged
        file."""
        if name in list(RubricName):
            return RUBRICS[RubricName(name)]
        if not NAME.fullmatch(name) or not self._file(name).is_file():
            known = ", ".join(rubric.name for rubric in self.all())
            raise UnknownNameError(N_("There is no rubric {name!r}. There are: {known}."), name=name[:60], known=known)
        return self._read(name)

    def rating(self, unit: RubricName, name: str = "") -> Rubric:
        """With which recordings of a unit are rated: the rubric of that name, else the shipped one. Raises
        UnknownNameError and RubricError as `get`, LabelError where it is of another unit."""
        if not name:
            return RUBRICS[unit]
        rubric = self.get(name)
        if rubric.unit is not unit:
            raise LabelError(
                N_("The rubric {name} is for recordings of a {unit}, and these are of a {other}."),
                name=name, unit=str(rubric.unit), other=str(unit),
            )  # fmt: skip
        return rubric

    def of_set(self, set_: "RecordingSet", unit: RubricName | None = None) -> Rubric:
        """With which recordings of a set are rated outside of projects: the rubric that the set names, else the shipped
        one. Recordings of another `unit` than the set's are rated with the shipped one of theirs. Raises as `rating`,
        and says what to do where the rubric has been deleted."""
        unit = unit or set_.rubric
        try:
            return self.rating(unit, set_.rated_with if unit is set_.rubric else "")
        except UnknownNameError as error:
            raise UnknownNameError(
                N_("The set {set} is rated with the rubric {name!r}, which has been deleted. Whoever sets up projects "
                   "can add its file again, or choose another one for the set: on the Projects page, or with `pronlab "
                   "rubric use`."),
                set=set_.name, name=set_.rated_with,
            ) from error  # fmt: skip

    def version(self, reference: str) -> Rubric:
        """The version that `name@version` names, current or not. Raises UnknownNameError where it is not kept."""
        if reference in self._kept:
            return self._kept[reference]
        name, _sign, version = reference.partition("@")
        with suppress(UnknownNameError, RubricError):
            if (current := self.get(name)).version == version:
                return current
        if NAME.fullmatch(name) and version.isalnum():
            for folder in (self._versions, SHIPPED / "earlier"):
                with suppress(OSError, RubricError):
                    kept = parse((folder / f"{reference}{SUFFIX}").read_bytes())
                    if kept.reference == reference:
                        self._kept[reference] = kept
                        return kept
        raise UnknownNameError(N_("The rubric {reference} is not kept here."), reference=reference[:60])

    def of_event(self, event: RatingEvent, unit: RubricName) -> Rubric | None:
        """The version with which somebody rated; None where it is not kept here."""
        with suppress(UnknownNameError):
            return self.version(event.rubric or UNNAMED[unit])
        return None

    def values_on(self, rubric: Rubric, values: Mapping[str, float], reference: str) -> dict[str, float]:
        """Values that were given with `reference`, on the scales of `rubric`: those of its other versions are brought
        onto them. Empty for another rubric's."""
        reference = reference or UNNAMED[rubric.unit]
        if reference == rubric.reference:
            return dict(values)
        if reference.partition("@")[0] != rubric.name:
            return {}
        with suppress(UnknownNameError):
            given = self.version(reference)
            pairs = ((given.dimension(key), rubric.dimension(key), value) for key, value in values.items())
            return {new.key: new.at(old.share(value)) for old, new, value in pairs if old and new}
        return {key: value for key, value in values.items() if rubric.dimension(key)}

    def add(self, content: bytes, by: Identity | None = None) -> Rubric:
        """Keep a rubric of the installation's own; one of the same name becomes its new version. Raises RubricError,
        and AccessError for who may not set up projects."""
        permit(self._settings, by, Action.MANAGE_PROJECTS)
        rubric = parse(content)
        if rubric.name in list(RubricName):
            raise RubricError(
                N_("{name} is a rubric that comes with Pronlab. Give yours another name."), name=rubric.name
            )
        before = next((known for known in self.all() if known.name == rubric.name), rubric)
        if before.unit is not rubric.unit:
            raise RubricError(
                N_("There is a rubric {name} for recordings of a {unit} already. Give this one another name."),
                name=rubric.name, unit=str(before.unit),
            )  # fmt: skip
        self.keep(rubric)
        artifacts.write_bytes(self._file(rubric.name), content)
        return rubric

    def keep(self, rubric: Rubric) -> None:
        """Make sure that this version can be read later, whatever becomes of the rubric's file."""
        file = self._versions / f"{rubric.reference}{SUFFIX}"
        if rubric.name not in list(RubricName) and not file.is_file():
            artifacts.write_bytes(file, dump(rubric))

    @property
    def _versions(self) -> Path:
        return self._folder / "versions"

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}{SUFFIX}"

    def _names(self) -> list[str]:
        stems = (path.stem for path in self._folder.glob(f"*{SUFFIX}"))
        return sorted(stem for stem in stems if not stem.startswith(artifacts.TEMPORARY_PREFIX))

    def _read(self, name: str) -> Rubric:
        """Raises RubricError where the file cannot be read, or is another rubric's."""
        file = self._file(name)
        try:
            stat = file.stat()
            rubric = _parsed(file, stat.st_mtime_ns, stat.st_size)
        except OSError as error:
            raise RubricError(
                N_("The rubric {name} cannot be read: {reason}"), name=name, reason=said_by(error)
            ) from error
        if rubric.name != name or name in list(RubricName):
            raise RubricError(
                N_("The file {file} holds the rubric {name!r}. Give both the same name, and none of a shipped rubric."),
                file=file.name, name=rubric.name,
            )  # fmt: skip
        return rubric


@lru_cache(maxsize=64)
def _parsed(file: Path, _changed_ns: int, _size: int) -> Rubric:
    return parse(file.read_bytes())
