"""The audit trail: who has asked for what about whom, in a file that shows when it was changed."""
