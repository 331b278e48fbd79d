"""The sections of the Train page, by kind of model."""
