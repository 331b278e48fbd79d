"""One file per page, each with `render()`: the frame of a page, its header and its choices, in which `sections` draw
what the page holds."""
