"""Where hostile bytes are opened: spawned processes with time and memory ceilings."""
