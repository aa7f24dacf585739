"""Judges the judge: every change that matters to a run that passes must keep it from passing."""
