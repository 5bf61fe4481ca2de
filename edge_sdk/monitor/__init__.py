"""Receiving alerts: a subscriber for programs, a durable store with receipts, and two verbs.

An application beside the contract: nothing else of this distribution imports it.
"""
