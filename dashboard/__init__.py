"""The Streamlit dashboard: pages ask `dashboard.services.shared`, then draw."""
