"""Tests of results.protocols."""
