"""What the compression methods share; no methods."""
