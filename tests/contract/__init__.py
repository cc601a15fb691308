"""The contract, held against the programs that our users have."""
