"""Where a model URI leads."""
