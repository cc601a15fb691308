"""What the functions share. Imports go down the floors that ``docs/architecture.md`` draws."""
