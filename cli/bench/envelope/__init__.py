"""How much one machine carries, what gives way first, and what a cluster would take."""
