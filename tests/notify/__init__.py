"""Tests of telling others."""
