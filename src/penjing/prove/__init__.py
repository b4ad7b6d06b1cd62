"""Promises tested with a bound, the certificate, the seal; no torch."""
