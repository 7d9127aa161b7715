"""Official sheet in, Python module and table of rules out (`program.py` puts it together)."""
