"""Dossier messages in XML."""
