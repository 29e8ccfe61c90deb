"""The module that scripts import MlflowClient from."""
