"""The exchange simulator: a server that speaks Kraken's protocol over models.simulation."""
