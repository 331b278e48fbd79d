"""`pronlab agreement`: how far the experts agree."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.cli._output import between, counted, emit, json_option
from pipeline.errors import LabelError
from pipeline.i18n import N_
from pipeline.settings import Settings

if TYPE_CHECKING:
    from pipeline.labels.ratings_table import RatingsTable
    from pipeline.metrics.estimate import Estimate


@click.command()
@click.option(
    "--manifest", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="The experts of a corpus manifest."
)
@click.option("--set", "set_name", help="All raters of this set.")
@click.option("--project", "project_name", help="All raters of this project.")
@click.option(
    "--rubric", help="Ratings given with this rubric (default: that of the project or set, else the one used most)."
)
@click.option("--part", help="Only this part of the corpus, e.g. dev.")
@json_option
def agreement(
    manifest: Path | None,
    set_name: str | None,
    project_name: str | None,
    rubric: str | None,
    part: str | None,
    as_json: bool,
) -> None:
    """Show how far raters agree: Krippendorff's alpha, ICC, kappa and each rater against the others, with 95 %
    confidence intervals over speakers."""
    from pipeline.corpus.sets import get_set
    from pipeline.labels import ratings_table

    if sum(given is not None for given in (manifest, set_name, project_name)) != 1:
        raise click.UsageError("Give exactly one of --manifest FILE, --set NAME and --project NAME.")
    if project_name is not None:
        from pipeline.projects.project import get_project, rubric_of

        project = get_project(Settings.from_env(), project_name)
        set_name, part = project.set, part or project.part or None
        if project.rubric or get_set(Settings.from_env(), project.set).rated_with:  # which may be another one
            rubric = rubric or rubric_of(Settings.from_env(), project).name
    if manifest is not None and rubric is not None:
        raise click.UsageError("--rubric goes with --set or --project: a manifest has the experts of a corpus.")
    table = _of_manifest(manifest, part) if manifest is not None else _of_set(str(set_name), part, rubric)
    found = {name: table.agreement(name) for name in table.dimensions}
    lines = [f"{counted(len(table.ids), 'item')}, {counted(len(table.raters), 'rater')}: {', '.join(table.raters)}"]
    for name, one in found.items():
        lines.append(f"{name} (n {one.n})")
        for label, estimate in (
            ("Krippendorff's alpha", one.alpha), (f"ICC(2,1), {one.icc_over}", one.icc), ("ICC(2,k)", one.icc_k),
            ("weighted kappa on bands", one.kappa), ("leave one out, PCC", one.leave_one_out),
        ):  # fmt: skip
            lines.append(f"  {label:28} {_words(estimate)}")
    emit({"raters": table.raters, "dimensions": ratings_table.as_json(found)}, as_json, "\n".join(lines))


def _of_manifest(manifest: Path, part: str | None) -> "RatingsTable":
    from pipeline.corpus.sets import in_part
    from pipeline.labels.corpus_source import of_manifest
    from pipeline.labels.ratings_table import of_items

    table = of_items(of_manifest(None, manifest, with_audio=False).of_part(part or ""))
    if not table.ids:
        raise LabelError(
            N_("{manifest} has no experts' scores{in_part}."), manifest=str(manifest), in_part=in_part(part)
        )
    return table


def _of_set(name: str, part: str | None, rubric_name: str | None) -> "RatingsTable":
    from pipeline.corpus.sets import get_set
    from pipeline.labels.index import Index
    from pipeline.labels.ratings_table import of_frame, rubrics_of
    from pipeline.rubrics.library import RubricLibrary

    settings = Settings.from_env()
    library = RubricLibrary(settings)
    index = Index(settings)
    index.ensure()
    labels = index.labels(name)
    labels = labels[labels["source"].isin(["human", "corpus"])]
    if part is not None:
        parts = index.parts(name)
        if part not in parts:
            if not parts:
                raise LabelError(N_("The set {name!r} has no parts; leave --part out."), name=name)
            raise LabelError(
                N_("The set {name!r} has no recordings in part {part!r}. It has the parts {parts}."),
                name=name,
                part=part,
                parts=", ".join(parts),
            )
        labels = labels[labels["part"] == part]
    if labels.empty:
        if part:
            raise LabelError(
                N_("Nobody has rated {name!r}, part {part!r} yet: ratings of people alone are compared."),
                name=name, part=part,
            )  # fmt: skip
        raise LabelError(N_("Nobody has rated {name!r} yet: ratings of people alone are compared."), name=name)
    rubric = library.get(rubric_name) if rubric_name else rubrics_of(labels, library, get_set(settings, name))[0]
    table = of_frame(labels, rubric, library)
    if not table.ids:
        raise LabelError(
            N_("There are no ratings with the rubric {rubric!r} in {name!r}."), rubric=rubric.name, name=name
        )
    return table


def _words(estimate: "Estimate") -> str:
    if estimate.value is None:
        return f"- ({estimate.reason})"
    if estimate.interval is None:
        return f"{estimate.value:6.3f}{f'  ({estimate.reason})' if estimate.reason else ''}"
    return f"{estimate.value:6.3f}  {between(estimate.interval)}"
