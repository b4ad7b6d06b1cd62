"""The one ruler: scores with bounds, calibration, latency, rivals, how many engines."""
