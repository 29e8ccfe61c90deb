"""A version of a registered model out of a URI."""
