"""The experiment tracker that needs no server."""

__version__ = "0.1.0"
