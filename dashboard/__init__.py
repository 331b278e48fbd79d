"""The Streamlit dashboard: pages ask `dashboard.services`, then draw."""
