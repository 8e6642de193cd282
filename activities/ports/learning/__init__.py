"""Ports of learning: the ledger of trials, the registry of models, and the record of decisions."""
