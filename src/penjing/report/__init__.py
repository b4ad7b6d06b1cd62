"""What a run found, as a typed contract and as a page."""
