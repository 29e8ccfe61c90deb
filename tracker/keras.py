"""The Keras flavor."""
