"""Rules of the first edition, as sealed releases have them: read and decided, never written."""
