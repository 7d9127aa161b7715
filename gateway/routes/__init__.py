"""Where documents go: one small protocol, and one package behind it for each platform."""
