"""Training a detector: losses, distillation, quantisation-aware steps, search, validation."""
