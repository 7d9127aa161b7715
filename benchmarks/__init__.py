"""Figures, printed one a line as `bench NAME VALUE UNIT`; never asserted, since machines differ."""
