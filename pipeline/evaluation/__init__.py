"""Scorers measured against experts: evaluating, pairing, rejection, published figures, and the table of results."""
