"""Positions of targets by their names, as another service knows them."""
