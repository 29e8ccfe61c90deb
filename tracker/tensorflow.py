"""The TensorFlow flavor."""
