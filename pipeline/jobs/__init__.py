"""Work that outlives the page that asked for it: detached processes that report to run directories."""
