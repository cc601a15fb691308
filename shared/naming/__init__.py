"""Names of uploaded frames: templates over header keywords, and the keys that are allowed. Pure."""
