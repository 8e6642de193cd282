"""Reads for the control room, each inside its account's scope."""
