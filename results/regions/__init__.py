"""What a service of several regions must show: the nearest edge, and its backbone."""
