"""Zip bundles: which bytes stand where, and where they come from."""
