"""How good it is: instances, peers and measurements."""
