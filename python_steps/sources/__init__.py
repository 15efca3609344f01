"""Find and preview delivered files."""
