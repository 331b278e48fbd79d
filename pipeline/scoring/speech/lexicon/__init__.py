"""English words and their pronunciations: dictionary, letter-to-sound rules, vocabulary, word model."""
