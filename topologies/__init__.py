"""What the network is, and bringing it up."""
