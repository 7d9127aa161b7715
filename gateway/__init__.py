"""Gateway between the drop folders of large senders and Chorus Pro. Start reading at `docs/architecture.md`."""
