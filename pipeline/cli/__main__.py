"""`python -m pipeline.cli`, which background jobs use so that they run in the same environment."""

from pipeline.cli import main

main()
