"""Tests of reading runs."""
