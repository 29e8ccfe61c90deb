"""The scikit-learn flavor."""
