"""Deploying a finished run, and rolling back."""

import streamlit as st

from dashboard.components.confirm import confirm
from dashboard.markup import plain
from dashboard.sections.train.places import place_name
from dashboard.services import train
from dashboard.services.train import DeployedModel
from pipeline.i18n import _
from pipeline.model_names import short_name
from pipeline.runs import RunDirectory
from pipeline.runs.words import metric_text


def deployment(run: RunDirectory, place: str, *, mae: float | None = None, warning: str = "") -> None:
    """What scores in `place` now, deploying this run there, and the way back; `warning` is shown before deploying."""
    st.header(_("Deployment"))
    deployed = train.deployed_model(place)
    st.markdown(_scoring_now(place, deployed, mae))
    name = plain(short_name(run.id))
    is_this = deployed is not None and not deployed.is_default and deployed.model_id == run.id
    with st.container(horizontal=True):
        question = _("From now on **{run}** scores {place} in this installation.")
        if not is_this and confirm(
            _("Deploy this run"),
            f"{question.format(run=name, place=place_name(place))} {warning}".strip(),
            answer=_("Deploy"),
            key=f"deploy-{place}",
            icon=":material/rocket_launch:",
        ):
            train.deploy_run(run)
            st.toast(_("Deployed {run}.").format(run=name))
            st.rerun()
        if (
            deployed is not None
            and not deployed.is_default
            and confirm(
                _("Roll back"),
                _("The model that was deployed before scores again. The run of the present model is kept."),
                answer=_("Roll back now"),
                key=f"rollback-{place}",
                icon=":material/undo:",
            )
        ):
            previous = train.roll_back(place)
            st.toast(
                _("The released model scores again.")
                if previous is None
                else _("{run} scores again.").format(run=plain(short_name(previous)))
            )
            st.rerun()


def _scoring_now(place: str, deployed: DeployedModel | None, mae: float | None) -> str:
    if deployed is None:
        return _("No model is deployed for {place}: the heuristic scores them.").format(place=place_name(place))
    sentence = (
        _("The released model **{model}** scores {place} now.")
        if deployed.is_default
        else _("The deployed model **{model}** scores {place} now.")
    )
    text = sentence.format(model=plain(short_name(deployed.model_id)), place=place_name(place))
    if mae is None or deployed.mae is None:
        return text
    figures = _("Its MAE is {deployed} points, the MAE of this run {run} points.")
    return f"{text} {figures.format(deployed=metric_text(deployed.mae, 2), run=metric_text(mae, 2))}"
