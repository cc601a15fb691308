"""What ``fitsvault doctor`` looks at: each part of an archive by a function that yields findings and never raises."""
