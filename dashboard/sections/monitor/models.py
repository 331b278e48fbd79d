"""The registry: candidates, live and retired models, where they come from; rollback, shadow, training again."""

import streamlit as st

from dashboard import state
from dashboard.components.confirm import confirm
from dashboard.components.page import errors_in_words
from dashboard.components.run_list import say_damaged
from dashboard.markup import plain
from dashboard.sections.monitor.comparison import PLACE_WORDS
from dashboard.services import monitor as watching
from pipeline.deployment.model_registry import Entry, Stage
from pipeline.markdown import code_span

SIGNS = {True: "yes", False: "no", None: "cannot be told"}


def models() -> None:
    found = watching.entries()
    hidden = watching.shadows()
    st.dataframe([_row(one, hidden) for one in found], hide_index=True)
    say_damaged(watching.runs().damaged)
    waiting = watching.candidates()
    if waiting:
        with st.container(horizontal=True, vertical_alignment="bottom"), errors_in_words():
            run = st.selectbox("A finished run that is not registered yet", waiting, index=None)
            if run and st.button("Make it a candidate", icon=":material/add:"):
                watching.add_candidate(run)
                st.rerun()
    if not found:
        st.caption("There is no model yet: the rule scores everything. Train one on the Train page.")
        return
    names = [one.model_id for one in found]
    name = st.selectbox("Model", names, key="registry-model")
    chosen = next(one for one in found if one.model_id == name)
    _made_from(chosen)
    with errors_in_words():
        _stages(chosen, hidden)
    if chosen.stage is Stage.LIVE:
        with errors_in_words():
            _retraining(chosen)


def _row(one: Entry, hidden: dict[str, str]) -> dict[str, object]:
    mae = one.made_from.get("test", {}).get("mae") if isinstance(one.made_from.get("test"), dict) else None
    return {
        "Model": one.model_id, "Scores": PLACE_WORDS[one.place],
        "Stage": f"{one.stage}{', in the shadow' if hidden.get(one.place) == one.model_id else ''}",
        "Test MAE": None if mae is None else round(mae, 1), "Trained on": one.made_from.get("trained_on", ""),
        "Recordings": one.made_from.get("n_recordings"), "Since": one.since[:16].replace("T", " "), "By": one.by,
        "Files": "here" if one.folder else "gone",
    }  # fmt: skip


def _made_from(one: Entry) -> None:
    st.subheader("Where it comes from")
    rated = watching.raters(one)
    raters = None if rated is None else ", ".join(f"{name} ({n})" for name, n in rated.items())
    facts = {
        "Run": one.run, "Corpus": one.made_from.get("trained_on"), "Part": one.made_from.get("part"),
        "Recordings": one.made_from.get("n_recordings"), "Speakers": one.made_from.get("n_speakers"),
        "Whose labels": ", ".join(one.made_from.get("label_sources", ())), "Raters": raters,
        "Data": one.made_from.get("data_hash"),
        "Commit": one.made_from.get("git_commit"), "Made at": one.made_from.get("created_at"),
        "Features": one.made_from.get("extractor"), "Encoder": one.made_from.get("encoder"),
        "Mean of": ", ".join(one.made_from.get("averaged", ())),
    }  # fmt: skip
    st.markdown("  \n".join(f"{label}: {code_span(value)}" for label, value in facts.items() if value))


def _stages(one: Entry, hidden: dict[str, str]) -> None:
    with st.container(horizontal=True):
        if one.stage is Stage.LIVE:
            if watching.was_deployed(one.place) and confirm(
                "Roll back", "The model before comes back; this one is retired. Its files stay.",
                answer="Yes, go back", key=f"registry-back-{one.place}", icon=":material/undo:",
            ):  # fmt: skip
                before = watching.roll_back(one.place)
                st.toast(f"{plain(before or 'The released model')} is live again.")
                st.rerun()
            return
        if one.folder is not None and confirm(
            "Put it into use", f"From now on **{plain(one.model_id)}** scores {PLACE_WORDS[one.place]}.",
            answer="Yes, put it into use", key=f"live-{one.model_id}", icon=":material/rocket_launch:",
        ):  # fmt: skip
            watching.make_live(one)
            st.rerun()
        in_shadow = hidden.get(one.place) == one.model_id
        if one.folder is not None and st.button(
            "Out of the shadow" if in_shadow else "Into the shadow", icon=":material/visibility_off:",
            help="In the shadow it answers everything too; nobody sees it, and the log keeps it.",
        ):  # fmt: skip
            watching.set_shadow(one.place, None if in_shadow else one.model_id)
            st.rerun()
        if one.stage is Stage.CANDIDATE and st.button("Retire it", icon=":material/archive:"):
            watching.retire(one.model_id)
            st.rerun()


def _retraining(one: Entry) -> None:
    st.subheader("Train it again?")
    found = watching.reasons(one)
    st.dataframe(
        [
            {
                "What": r.name,
                "Now": r.value,
                "Speaks for it": r.limit,
                "Does it?": SIGNS[r.speaks_for_it],
            }
            for r in found
        ],
        hide_index=True,
    )
    if any(reason.speaks_for_it for reason in found):
        st.warning("Something speaks for training this model again.", icon=":material/model_training:")
    if not watching.can_train_again(one):
        st.caption("The run that made it is not here; start a training on the Train page.")
    elif confirm(
        "Train it again", "With the same settings on what is labelled now; the new model becomes no more than a run.",
        answer="Yes, start", key=f"again-{one.model_id}", icon=":material/replay:",
    ):  # fmt: skip
        run = watching.train_again(one)
        state.watch(state.RUN, run)
        st.toast(f"{plain(run)} has started; see the Train page.")
