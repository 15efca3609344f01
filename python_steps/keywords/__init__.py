"""Extract and normalise keywords."""
