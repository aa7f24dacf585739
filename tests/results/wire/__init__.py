"""Tests of results.wire."""
