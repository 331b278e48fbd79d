"""Tables and arrays as plotly figures: pure, without Streamlit and without reading."""
