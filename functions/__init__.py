"""The deployed functions: one package for each, with its ``handler.py``."""
