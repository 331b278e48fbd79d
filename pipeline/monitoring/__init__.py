"""What the scorers answered, kept without audio, and what people said about it afterwards."""
