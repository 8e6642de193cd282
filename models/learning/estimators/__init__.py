"""Models that estimate the probability that an entry ends in profit, behind one port."""
