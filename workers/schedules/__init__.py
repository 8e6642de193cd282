"""What the clocks start: days, market jobs, reconciliations, lockstep."""
