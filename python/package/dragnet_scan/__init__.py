"""Finds which of thousands of regular expressions match which of millions of records, and where.

A PatternSet is compiled once. It searches one str or bytes, or many of them at once: a list, or a
column of Arrow.
"""

from ._native import Column, Match, PatternError, PatternSet, __version__

__all__ = ["Column", "Match", "PatternError", "PatternSet", "__version__"]
