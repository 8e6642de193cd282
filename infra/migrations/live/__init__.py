"""What tells the control room that the record has changed."""
