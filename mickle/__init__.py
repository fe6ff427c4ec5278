"""Mickle: a fixed monthly budget, split equally among everything a member nodded at."""

__version__ = "0.1.0"
