"""Tests of the route to Chorus Pro, against the simulator and against servers that misbehave."""
