"""The report of a run: one HTML file that a person reads, made from what was judged."""
