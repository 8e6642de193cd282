"""Steps of the market: feed, engine, delivery, marks, rules, stress."""
