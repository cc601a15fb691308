"""Migrate: brings the schema of a database that only functions reach to this version."""
