"""SPEC.toml: what a person says about a trained model, read and checked."""
