"""The XGBoost flavor."""
