"""What a pyobs-archive has, and how it moves here: frames with ids and links, accounts, tokens."""
