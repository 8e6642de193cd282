"""What stands before the routes: who calls, what they may do, and how attempts are slowed down."""
