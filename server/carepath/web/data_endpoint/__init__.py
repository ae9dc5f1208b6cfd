"""Reading the data of a patient from the server that a request names."""
