// Tells the server which part of a chart is shown: Streamlit draws a chart anew whenever its data change, as a new
// element that has forgotten it.

const WATCH_MS = 250;

function shown(graph) {
  const { xaxis, yaxis } = graph._fullLayout;
  return { x: [...xaxis.range], y: [...yaxis.range] };
}

export default function ({ parentElement, data, setStateValue }) {
  const follow = () => {
    const graph = document.querySelector(`.st-key-${CSS.escape(data.chart)} .js-plotly-plot`);
    if (!graph || typeof graph.on !== "function") return;
    graph.pronlabRevision = data.revision;
    if (graph.pronlabFollowed) return;
    graph.pronlabFollowed = true;
    graph.on("plotly_relayout", (change) => {
      const names = Object.keys(change);
      if (names.some((name) => name.endsWith("axis.autorange"))) setStateValue("zoom", null);
      else if (names.some((name) => /axis\.range/.test(name))) {
        setStateValue("zoom", { revision: graph.pronlabRevision, ...shown(graph) });
      }
    });
  };
  clearInterval(parentElement.pronlabWatch);
  follow();
  parentElement.pronlabWatch = setInterval(follow, WATCH_MS);
  return () => clearInterval(parentElement.pronlabWatch);
}
