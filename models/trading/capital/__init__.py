"""Capital: value, flows, days, and the split across strategies."""
