"""CDS Hooks 2.0: plans that answer the hooks of an EHR with cards."""
