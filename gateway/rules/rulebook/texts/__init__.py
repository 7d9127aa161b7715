"""What rules that fired say to people: official text, the other language, remedy, term."""
