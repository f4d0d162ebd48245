"""Benchmarks: the product beside what it is compared with, on the same generated data, in the same process window."""
