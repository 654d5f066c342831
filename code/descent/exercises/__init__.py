"""Checkers for the exercises; one module per chapter."""
