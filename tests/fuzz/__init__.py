"""Fuzzing of what reads packets: see `docs/fuzzing.md`."""
