"""What compiled rules call while they run."""
