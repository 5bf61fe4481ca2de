"""From what a model answers to what happened: scores by label, then events.

Pure arithmetic, the same on the workstation and in the field.
"""
