"""Tests of what leaves the testbed for other tools."""
