"""What a person sees in a terminal: progress on stderr, tables as plain text."""
