"""Adapters: the only places that talk to the outside; they do not know each other."""
