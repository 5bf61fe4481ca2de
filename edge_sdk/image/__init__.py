"""Pictures: reading files and video, making them fit a model's input, drawing what was found."""
