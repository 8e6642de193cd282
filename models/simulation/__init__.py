"""The exchange as a pure, seeded model: markets, book, matching, accounts, fees, limits."""
