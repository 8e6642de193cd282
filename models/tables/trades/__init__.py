"""Tables of ideas, trades, orders and executions."""
