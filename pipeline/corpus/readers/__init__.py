"""One file per corpus layout: each finds the utterances of a path and what its experts said of them."""
