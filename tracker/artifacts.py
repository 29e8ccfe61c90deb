"""Artifacts by URI: download and load."""
