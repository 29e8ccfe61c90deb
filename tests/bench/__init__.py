"""Benchmarks, each beside the limit of the machine: `python -m tests.bench`. See docs/benchmarks.md."""
