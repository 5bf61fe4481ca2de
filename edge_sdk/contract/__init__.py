"""What workstation, device and server agree on: values, manifest, bundle, messages, topics.

Imports nothing of ours but :mod:`edge_sdk.errors`, and of others only NumPy and msgspec.
"""
