"""Which model runs on which backend: measured, and written into ``docs/reference/backends.md``."""
