"""The files of a model, verified before anything reads them."""
