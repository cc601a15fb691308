"""Ingest: makes the index agree with the objects that events point at."""
