"""Following packets: sightings at the taps, joined to the paths that packets took."""
