"""Tests of inspecting captures."""
