"""Where patients come from: files and folders, exports by type, a server that exports."""
