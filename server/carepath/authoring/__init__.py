"""What an author of content needs: cases, coverage and the checks on definitions."""
