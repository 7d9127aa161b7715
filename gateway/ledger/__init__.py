"""The truth: every state that must survive a crash, and every SQL statement that reads or moves it."""
