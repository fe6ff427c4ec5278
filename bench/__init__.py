"""Benchmarks: month end, loading, counts, start and memory; ratios are taken in one run."""
