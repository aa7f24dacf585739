"""The benchmark of reading captures: a file of a stated mix, ourselves, and others on the same."""
