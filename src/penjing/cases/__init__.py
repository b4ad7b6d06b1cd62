"""A recorded case: made, replayed, decided by another release."""
