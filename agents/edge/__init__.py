"""The service's edge apart from HTTP: who may ask for what, and what becomes of it.

Time is an argument, and the clock a part of :class:`agents.edge.state.Edge`. Shapes,
names and codes are those of the public REST reference of Azure Communication Services:
identity (2023-10-01), network traversal (2022-03-01-preview) and call automation.
"""
