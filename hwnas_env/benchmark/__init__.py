"""Runs agents on problems under one ledger each, and records what happened."""
