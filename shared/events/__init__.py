"""Every dialect of object event, read to one type."""
