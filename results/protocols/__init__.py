"""Reading protocols: bytes to what they say, without a look at the run that they are of."""
