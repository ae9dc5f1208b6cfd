"""What expressions compute with: types, members, quantities, times."""
