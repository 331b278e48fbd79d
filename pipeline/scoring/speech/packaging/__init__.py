"""From a finished training to a model folder, and its deployment."""
