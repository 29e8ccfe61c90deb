"""The way out of a store: a folder that MLflow opens, and tables."""

from tracker.exporting.mlruns import ExportReport, export_mlflow

__all__ = ["ExportReport", "export_mlflow"]
