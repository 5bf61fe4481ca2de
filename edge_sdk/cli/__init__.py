"""The command line: a table of verbs, and nothing heavy until one is chosen."""
