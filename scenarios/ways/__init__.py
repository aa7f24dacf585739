"""How long it takes to get out of networks that let less and less out."""
