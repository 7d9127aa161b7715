"""`gateway demo`: a Chorus Pro, a gateway and two senders in one folder, with invoices of our own making."""
