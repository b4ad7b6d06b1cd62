"""Engines behind one protocol, one file each; torch only in `torch` and `export`."""
