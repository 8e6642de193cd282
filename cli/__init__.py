"""The command line: `aether …`."""
