"""The index: tables, what is written to them, and queries. Knows no FITS and no accounts."""
