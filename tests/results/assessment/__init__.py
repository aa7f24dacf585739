"""Tests of results.assessment."""
