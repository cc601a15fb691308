"""Reconcile: finds what no event told."""
