"""The model registry: candidate, deployed and retired models, their origin; rollback, shadow scoring, retraining."""

import streamlit as st

from dashboard import state
from dashboard.components.confirm import confirm
from dashboard.components.page import errors_in_words
from dashboard.components.run_list import say_damaged
from dashboard.components.tables import fitted
from dashboard.markup import plain
from dashboard.sections.monitor.comparison import PLACE_LABELS
from dashboard.services import monitor
from pipeline.deployment.model_registry import PROMPTS, Entry, Stage
from pipeline.i18n import N_, _, day, number
from pipeline.markdown import code_span
from pipeline.model_names import short_names
from pipeline.times import utc_time

STAGE_LABELS = {Stage.CANDIDATE: N_("candidate"), Stage.LIVE: N_("deployed"), Stage.RETIRED: N_("retired")}
MET_LABELS = {True: N_("yes"), False: N_("no"), None: N_("unknown")}


def models() -> None:
    entries = monitor.entries()
    shadows = monitor.shadows()
    names = short_names(entry.model_id for entry in entries)
    right = (_("Test MAE"), _("Items"))
    if entries:
        fitted([_row(entry, names[entry.model_id], shadows, right) for entry in entries], right=right)
    say_damaged(monitor.runs().damaged)
    candidates = monitor.candidates()
    if candidates:
        with st.container(horizontal=True, vertical_alignment="bottom"), errors_in_words():
            run = st.selectbox(
                _("Finished run that is not registered"),
                candidates,
                index=None,
                key="registry-run",
                placeholder=_("Choose a run"),
            )
            if run and st.button(_("Register as candidate"), icon=":material/add:"):
                monitor.add_candidate(run)
                st.rerun()
    if not entries:
        st.caption(_("No models yet: the heuristic rule scores everything. Train a model on the Train page."))
        return
    by_id = {entry.model_id: entry for entry in entries}
    chosen = by_id[st.selectbox(_("Model"), list(by_id), key="registry-model", format_func=names.__getitem__)]
    with errors_in_words():
        _actions(chosen, shadows)
    _origin(chosen)
    if chosen.stage is Stage.LIVE:
        with errors_in_words():
            _retraining(chosen)


def _row(entry: Entry, name: str, shadows: dict[str, str], labels: tuple[str, str]) -> dict[str, str]:
    mae = entry.made_from.get("test", {}).get("mae") if isinstance(entry.made_from.get("test"), dict) else None
    n = entry.made_from.get("n_recordings", entry.made_from.get("n_items"))
    stage = _(STAGE_LABELS[entry.stage])
    return {
        _("Model"): name,
        _("Kind of text"): _(PLACE_LABELS[entry.place]),
        _("Stage"): _("{stage}, shadow").format(stage=stage) if shadows.get(entry.place) == entry.model_id else stage,
        labels[0]: "" if mae is None else number(mae, 1),
        labels[1]: "" if n is None else number(int(n)),
        _("Trained on"): _trained_on(entry),
        _("Since"): _day(entry.since),
        _("By"): entry.by,
        _("Files"): _("present") if entry.folder else _("missing"),
    }


def _trained_on(entry: Entry) -> str:
    if entry.place == PROMPTS:
        return str(entry.made_from.get("source") or _("collected prompts"))
    return str(entry.made_from.get("trained_on", ""))


def _day(moment: object) -> str:
    """As a day where it is a time; cards can have been changed by hand."""
    try:
        return day(utc_time(moment))
    except ValueError:
        return str(moment or "")


def _origin(entry: Entry) -> None:
    st.header(_("Origin"), anchor=False)
    ratings = monitor.raters(entry)
    raters = None if ratings is None else ", ".join(f"{name} ({n})" for name, n in ratings.items())
    made_from = entry.made_from
    facts = {
        _("Model id"): entry.model_id, _("Run"): entry.run, _("Corpus"): _trained_on(entry),
        _("Part"): made_from.get("part"), _("Recordings"): made_from.get("n_recordings"),
        _("Prompts"): made_from.get("n_items"), _("Authors"): made_from.get("n_groups"),
        _("Speakers"): made_from.get("n_speakers"), _("Label sources"): ", ".join(made_from.get("label_sources", ())),
        _("Raters"): raters, _("Data hash"): made_from.get("data_hash"), _("Commit"): made_from.get("git_commit"),
        _("Created"): _day(made_from.get("created_at")), _("Features"): made_from.get("extractor"),
        _("Encoder"): made_from.get("encoder"), _("Average of"): ", ".join(made_from.get("averaged", ())),
    }  # fmt: skip
    st.markdown("  \n".join(f"{label}: {code_span(value)}" for label, value in facts.items() if value))


def _actions(entry: Entry, shadows: dict[str, str]) -> None:
    with st.container(horizontal=True):
        if entry.stage is Stage.LIVE:
            if monitor.was_deployed(entry.place) and confirm(
                _("Roll back"),
                _("The previous model is deployed again and this model is retired. Its files are kept."),
                answer=_("Yes, roll back"), key=f"registry-back-{entry.place}", icon=":material/undo:",
            ):  # fmt: skip
                previous = monitor.roll_back(entry.place)
                st.toast(
                    _("{model} is deployed again.").format(model=plain(previous))
                    if previous
                    else _("The released model is deployed again.")
                )
                st.rerun()
            return
        if entry.folder is not None and confirm(
            _("Deploy"),
            _("From now on **{model}** scores: {place}.").format(
                model=plain(entry.model_id), place=_(PLACE_LABELS[entry.place])
            ),
            answer=_("Yes, deploy"), key=f"live-{entry.model_id}", icon=":material/rocket_launch:",
        ):  # fmt: skip
            monitor.deploy(entry)
            st.rerun()
        in_shadow = shadows.get(entry.place) == entry.model_id
        if entry.folder is not None and st.button(
            _("Stop shadow scoring") if in_shadow else _("Start shadow scoring"), icon=":material/visibility_off:",
            help=_("A shadow model scores everything too. Its scores are logged and shown to nobody."),
        ):  # fmt: skip
            monitor.set_shadow(entry.place, None if in_shadow else entry.model_id)
            st.rerun()
        if entry.stage is Stage.CANDIDATE and st.button(_("Retire"), icon=":material/archive:"):
            monitor.retire(entry.model_id)
            st.rerun()


def _retraining(entry: Entry) -> None:
    st.header(_("Retraining"), anchor=False)
    criteria = monitor.retraining_criteria(entry)
    if any(criterion.met for criterion in criteria):
        st.warning(_("Consider retraining this model."), icon=":material/model_training:")
    fitted(
        [
            {
                _("Criterion"): criterion.name,
                _("Now"): criterion.value,
                _("Retrain if"): criterion.limit,
                _("Met"): _(MET_LABELS[criterion.met]),
            }
            for criterion in criteria
        ]
    )
    if not monitor.can_train_again(entry):
        st.caption(_("The run that made this model is not here. Start a training on the Train page."))
    elif confirm(
        _("Retrain"),
        _("Train with the same settings on the current labels. The new model is not deployed by itself."),
        answer=_("Yes, start"), key=f"again-{entry.model_id}", icon=":material/replay:",
    ):  # fmt: skip
        run = monitor.train_again(entry)
        state.watch(state.RUN, run)
        st.toast(_("{run} has started; see the Train page.").format(run=plain(run)))
