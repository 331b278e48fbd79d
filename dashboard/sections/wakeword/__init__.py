"""The five steps of the Wake word page and its help, one module each."""
