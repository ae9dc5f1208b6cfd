"""What a definition needs and rests on."""
