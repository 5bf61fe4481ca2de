"""Detector heads that are known by name, a module a family."""
