"""`python -m pipeline.cli`, which background jobs use so that they run in the same environment."""

from pipeline.cli import main

if __name__ == "__main__":  # worker processes import this module again
    main()
