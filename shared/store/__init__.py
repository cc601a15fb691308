"""Objects and presigned links of any S3-compatible store."""
