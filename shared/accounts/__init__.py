"""Accounts, passwords and tokens: the only data that live in the database alone. Knows no web framework."""
