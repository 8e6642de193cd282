"""The universe: which pairs may be traded, their groups and their fees."""
