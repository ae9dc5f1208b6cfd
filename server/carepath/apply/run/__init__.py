"""One application: facts, conditions, the walk over a plan, the requests it makes."""
