"""Annotated texts: files in which pieces of a text have labels; one file a form."""
