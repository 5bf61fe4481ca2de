"""Models at work: one backend an engine, and sound in, scores out.

Shared by both sides on purpose: the converter proves each variant with the very code that a
device will run. Engines are optional and loaded by :func:`.open.open_backend`, never by an import.
"""
