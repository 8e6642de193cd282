"""The account's hedge: when it is due, and the moves that it takes."""
