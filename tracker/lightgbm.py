"""The LightGBM flavor."""
