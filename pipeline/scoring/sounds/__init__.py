"""Sound by sound feedback beside a reference recording: Turkish, and whatever language has a model."""
