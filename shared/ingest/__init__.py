"""From an object in the bucket to a frame in the index."""
