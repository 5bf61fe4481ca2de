"""A spec to begin with: what a model's file tells, and marks where only a person can know."""
