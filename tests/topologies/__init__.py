"""Tests of networks and worlds."""
