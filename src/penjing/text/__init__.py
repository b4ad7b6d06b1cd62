"""Tokens, words, n-grams and TF-IDF: the same code for training and serving."""
