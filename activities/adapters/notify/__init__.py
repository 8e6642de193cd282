"""Channels to people: e-mail, text messages, signed webhooks, chat."""
