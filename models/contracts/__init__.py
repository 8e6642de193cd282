"""Messages of workflows and activities."""
