"""Labelled recordings, and their windows as a device would make them."""
