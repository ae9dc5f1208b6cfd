"""The same run on a cluster: what each task does, and how Spark is asked to do it."""
