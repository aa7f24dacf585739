"""Tests of what runs on the hosts."""
