"""A model behind http."""
