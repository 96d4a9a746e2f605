"""Rules that the source itself has to keep, and documents that have to tell the truth about it."""
