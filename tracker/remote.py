"""Files of a published site, fetched into the cache folder."""
