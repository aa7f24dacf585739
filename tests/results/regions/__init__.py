"""Tests of results.regions."""
