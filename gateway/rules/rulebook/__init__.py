"""The compiled Schematron: official XSLT in, Python out (docs/rulebook.md)."""
