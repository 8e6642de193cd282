"""Settings: definitions, versions, and what the rules read from them."""
