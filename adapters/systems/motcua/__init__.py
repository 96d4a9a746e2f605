"""Một cửa điện tử: a one-stop shop that takes packets by REST."""
