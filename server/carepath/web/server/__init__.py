"""The server process: gunicorn's master, and in each of its workers waitress for the network."""
