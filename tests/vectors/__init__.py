"""Signed files of every kind and their tampered twins, made afresh with real tools: one function for each defect."""
