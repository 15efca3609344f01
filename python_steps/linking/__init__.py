"""Judge matching by known pairs."""
