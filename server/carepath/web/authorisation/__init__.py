"""Who asks, and what that client may do: the guard in front of every route."""
