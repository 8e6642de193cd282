"""The registry of models: MLflow's REST API."""
