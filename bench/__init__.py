"""Measured comparisons with what people use today, on the machine of whoever runs them: `python -m bench`.

Every figure of README and docs/benchmarks.md is rendered from bench/results/*.json, and nothing else writes there.
"""
