"""Models with one predict()."""
