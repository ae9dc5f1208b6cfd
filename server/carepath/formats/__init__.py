"""How resources are written: JSON and XML, to and fro."""
