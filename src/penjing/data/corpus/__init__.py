"""Corpora for pre-training: texts of many sources read, cleaned, deduplicated and stored, with counts of the rest."""
