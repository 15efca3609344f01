"""Labels from a language model."""
