"""The object stores that the archive can start, and how each is made to tell of its objects."""
