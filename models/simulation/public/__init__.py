"""The public record: candles, tickers, trades and books."""
