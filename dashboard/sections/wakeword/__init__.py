"""The six steps of the Wake word page, one module each."""
