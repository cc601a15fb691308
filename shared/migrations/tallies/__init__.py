"""Migration 0008 in parts: tables of counts, and how frames come into them on either database."""
