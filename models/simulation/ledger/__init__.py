"""The ledger: balances, holds, fees and settlement."""
