"""The parts of each page: a module, or a package where a page has several parts."""
