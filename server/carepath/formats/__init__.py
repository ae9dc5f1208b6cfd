"""How resources are written: JSON and XML, in both directions."""
