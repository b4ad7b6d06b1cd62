"""What the objectives of pre-training share: batches, heads, the mixture on the one loop, and how it is measured."""
