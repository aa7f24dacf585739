"""Tests of the edge's logic, without its I/O."""
