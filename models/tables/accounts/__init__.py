"""Tables of accounts, their capital, days, modes and settings."""
