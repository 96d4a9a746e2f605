"""Dossier messages in JSON."""
