"""Tests of the benchmark of ways out."""
