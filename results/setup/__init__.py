"""How a call came about: its signalling, candidates, checks, allocations and steps."""
