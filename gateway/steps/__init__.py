"""The nine steps of a file's life: each takes rows in one state and leaves them in another."""
