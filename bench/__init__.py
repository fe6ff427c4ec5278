"""Benchmarks: counts, nods, live pages, month end, start, memory; ratios are taken in one run."""
