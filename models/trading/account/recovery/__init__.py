"""An account that starts anew from the record, or takes a settled trade back."""
