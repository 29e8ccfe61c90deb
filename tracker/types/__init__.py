"""MLflow's data types: columns, tensors, schemas and their JSON."""
