"""Limits on losses and on risk, what assets count as, and how near an account is to each limit."""
