"""Measurements: scores with bounds, calibration, latency, rivals, and how many engines to run."""
