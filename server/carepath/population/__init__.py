"""The same question for many patients: who is where on a pathway, and what is missing."""
