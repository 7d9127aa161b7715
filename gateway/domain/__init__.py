"""Values and tables that every floor shares: no I/O, and nothing of ours is imported here."""
