"""Security: the current user and session, permissions, and the log of failures."""
