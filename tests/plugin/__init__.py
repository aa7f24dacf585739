"""Tests of the pytest plugin, each in an environment that has nothing of ours but the plugin."""
