"""Programs of the stack: supervision, process shims and the fork server."""
