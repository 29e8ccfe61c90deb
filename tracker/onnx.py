"""The ONNX flavor."""
