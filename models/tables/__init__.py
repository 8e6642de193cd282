"""SQLModel tables, one file per aggregate, and the mapping between rows and domain."""
