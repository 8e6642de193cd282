"""Steps of an account: stream, delivery, reconciliation, days, capital, modes, hedge."""
