"""Tests of policies and their enforcement."""
