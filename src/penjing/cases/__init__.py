"""Recorded cases: making them, replaying them, deciding them with another release."""
