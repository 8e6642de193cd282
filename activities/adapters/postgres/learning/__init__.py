"""The ledger of trials and the champions."""
