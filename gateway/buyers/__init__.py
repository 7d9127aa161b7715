"""What Chorus Pro's directory says of the public bodies: a snapshot, look-ups in it, its refresh."""
