"""The server process: settings of gunicorn, its worker, slow and malformed connections."""
