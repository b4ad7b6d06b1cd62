"""Encoders that a recipe names, read from disk, given a head, and written back."""
