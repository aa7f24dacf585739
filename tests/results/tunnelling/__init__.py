"""Tests of results.tunnelling."""
