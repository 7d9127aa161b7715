"""The official Schematron run by the library that its authors use: slow, in a process of its own, for comparison."""
