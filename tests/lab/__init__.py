"""Tests that build networks in namespaces."""
