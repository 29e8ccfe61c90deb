"""The PyTorch flavor."""
