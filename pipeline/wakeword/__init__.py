"""Wake words: from clips to a detector that can be trusted."""
