"""Stores of other trackers, read as they lie, without those trackers; and imported into ours."""
