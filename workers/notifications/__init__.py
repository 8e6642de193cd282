"""The process that tells people."""
