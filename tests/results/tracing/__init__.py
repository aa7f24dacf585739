"""Tests of results.tracing."""
