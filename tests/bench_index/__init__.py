"""`make bench-index`: how fast the index answers, beside the predecessor's tables in the same server."""
