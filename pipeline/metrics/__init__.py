"""How well machine and people agree. One module a task, each pure: arrays in, a dataclass out."""
