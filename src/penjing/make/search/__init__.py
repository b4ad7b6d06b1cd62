"""The search for the smallest form that keeps every promise."""
