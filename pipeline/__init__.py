"""Pronlab's pipeline: everything between a recording and a trusted score. Imports neither Streamlit nor `dashboard`."""

__version__ = "0.1.0"
