"""What R4 says of elements in sentences and no invariant says: a table of small rules."""
