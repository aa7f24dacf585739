"""The benchmark of impaired cables: what is asked of them, and what comes of it."""
