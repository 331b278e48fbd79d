"""Train and measure the model of sounds: on synthesised faults, or on experts' marks."""
