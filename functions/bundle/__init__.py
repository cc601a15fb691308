"""The bundle function: builds zips in the bucket."""
