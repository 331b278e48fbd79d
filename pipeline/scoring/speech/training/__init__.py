"""Fine-tuning an encoder with a phone CTC head and a score head."""
