"""The service's edge, without its I/O: who may ask for what, and what becomes of it.

Time is an argument everywhere; HTTP itself is in :mod:`agents.front_end`. Shapes,
names and codes are those of Azure Communication Services' public REST reference,
of its identity (2023-10-01), network traversal (2022-03-01-preview) and call
automation interfaces.
"""
