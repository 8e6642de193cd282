"""Where what stands in the small arrays of the compiled loop; read at compile time."""

# Places in the array of integers.
LOTS, STOP, TAKE, TRAIL, TRAILED, COUNT, AMBIGUOUS, PROTECTED_BARS = 0, 1, 2, 3, 4, 5, 6, 7
WANTED, WANTED_STOP, WANTED_TAKE, WANTED_TRAIL, WANTED_LIMIT = 8, 9, 10, 11, 12
DECIDED, LAPSED, LARGE_EXITS, PROPOSED, PARTS = 13, 14, 15, 16, 17
INTEGERS = 18
PARTS_MAXIMUM = 4096
"""Entries that are held at once in one pair; later ones are counted with the last."""
# Places in the array of floats.
CASH, REGRET, FEES = 0, 1, 2
FLOATS = 3
# Places in the array of settings.
TICK, LOT, SLIPPAGE, LATENCY, VOLUME_SHARE, BAND, RESERVE, MARGIN = 0, 1, 2, 3, 4, 5, 6, 7
MINIMUM_LOTS, MINIMUM_COST, COST_UNITS, TARGET_FIRST, REBALANCES, INTERVAL = 8, 9, 10, 11, 12, 13
SETTINGS = 14
# Columns of a fill, and what it was for.
BAR, KIND, PRICE, QUANTITY, MAKER = 0, 1, 2, 3, 4
COLUMNS = 5
ENTRY, EXIT, PART, STOPPED, TRAILED_OUT, TAKEN = 1, 2, 3, 4, 5, 6
NEVER = 2**62
"""Above every price."""
DAYS = 31
"""Calendar days whose volume counts: the last 30 and the running one, as the exchange counts."""
