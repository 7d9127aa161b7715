"""From rows owed to a partner to files in its `out/` folder."""
