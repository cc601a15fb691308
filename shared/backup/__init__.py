"""Backups of the database: one file from which, beside the science bucket, the archive comes back."""
