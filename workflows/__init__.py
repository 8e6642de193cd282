"""Stories: workflows around the pure decisions of models.trading; no input or output here."""
