"""The command line against a running archive."""
