"""One runnable file a use case, their runner and the command line."""
