"""The way out of a store: a folder that MLflow opens, and tables."""

from tracker.exporting.mlruns import ExportReport, export_mlflow
from tracker.exporting.tables import TableReport, export_table

__all__ = ["ExportReport", "TableReport", "export_mlflow", "export_table"]
