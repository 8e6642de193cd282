"""What a backtest found, as tables, documents and pages."""
