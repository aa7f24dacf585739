"""ICE behind one small protocol of ours; the only place that imports aioice."""
