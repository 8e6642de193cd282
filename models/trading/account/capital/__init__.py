"""The account's capital: equity's high and low, flows, days, and its split across strategies."""
