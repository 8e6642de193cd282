"""Other ways to trade the same question: each is a row in the ledger, and meets the same gate."""
