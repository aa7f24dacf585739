"""The ICE agent and its ways to a relay."""
