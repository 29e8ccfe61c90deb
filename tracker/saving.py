"""A model into a folder, a run and the registry."""
