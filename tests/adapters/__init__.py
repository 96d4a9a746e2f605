"""Tests of `adapters`: every outcome against real servers on loopback."""
