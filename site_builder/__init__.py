"""From a store to a static site."""
