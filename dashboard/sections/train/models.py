"""What scores now, in one row that opens: the models with their metrics and cards."""

import streamlit as st

from dashboard.components.tables import data_table
from dashboard.markup import document, plain
from dashboard.sections.train.places import place_name
from dashboard.services import train
from dashboard.services.train import ModelRow, ModelState
from pipeline.i18n import N_, _, number
from pipeline.model_names import PRONLAB, short_names
from pipeline.runs.words import metric_text
from pipeline.scoring.speech.model_files import FOLDER as SPEECH

STATES = {
    ModelState.DEPLOYED: N_("Deployed"),
    ModelState.DEFAULT: N_("Default"),
    ModelState.RELEASED: N_("Released"),
}


def scoring_now() -> None:
    rows = train.models()
    names = short_names(row.model_id for row in rows) | {
        row.model_id: PRONLAB for row in rows if row.place == SPEECH and row.state is ModelState.DEFAULT
    }
    scoring = [f"{place_name(row.place)} **{plain(names[row.model_id])}**" for row in rows if row.scores]
    if not scoring:
        st.caption(_("No model scores here yet: the heuristic scores everything."))
        return
    label = _("Scoring now: {models}").format(models=" · ".join(scoring))
    with st.expander(label, icon=":material/deployed_code:"):
        _table(rows, names)
        _cards(rows, names)


def _table(rows: list[ModelRow], names: dict[str, str]) -> None:
    data_table(
        [
            {
                _("Model"): names[row.model_id],
                _("Scores"): place_name(row.place),
                _("State"): _(STATES[row.state]),
                "MAE": metric_text(row.mae, 2),  # not shown
                "PCC": metric_text(row.pcc, 2),  # not shown
                _("Recordings"): "" if row.n is None else number(row.n),
                _("Features"): row.features,
                _("Trained on"): row.trained_on,
                _("Id"): row.model_id,
            }
            for row in rows
        ],
        column_config={_("Model"): st.column_config.TextColumn(pinned=True, width="medium")},
    )
    st.caption(
        _(
            "Deployed: from a run of this installation. Default: the released model that scores until you deploy a "
            "run. MAE in points and PCC on held-out speakers."
        )
    )


def _cards(rows: list[ModelRow], names: dict[str, str]) -> None:
    cards = {row.model_id: row.card for row in rows}
    chosen = st.selectbox(
        _("Model card"), list(cards), index=None, placeholder=_("Choose a model to read its card"),
        format_func=names.__getitem__, label_visibility="collapsed",
    )  # fmt: skip
    if chosen is not None:
        card = cards[chosen]
        with st.container(border=True):
            st.markdown(
                document(card).replace("\n# ", "\n### ").removeprefix("# ")
                if card
                else _("This model came without a card.")
            )
