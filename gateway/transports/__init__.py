"""How files come and go, and how one knows that a file is whole."""
