"""Tests of the runner and the command line."""
