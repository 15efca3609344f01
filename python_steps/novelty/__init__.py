"""Score the novelty of combinations of keywords or classes."""
