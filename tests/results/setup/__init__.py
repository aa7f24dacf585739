"""Tests of results.setup."""
