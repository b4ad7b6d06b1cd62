"""Augmentation: changed copies of train texts that keep their gold. One file a kind, and no model in any of them."""
