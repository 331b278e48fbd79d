"""One protocol, several scorers: each answers a recording and its target with a ScoreResult."""
