"""The parts of each page, drawn within the frame that its file in `views` makes: a module, or a package where a page
has several parts. What several pages show is in `components`."""
