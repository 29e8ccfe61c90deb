"""MLflow's client: the same by id and by name."""
