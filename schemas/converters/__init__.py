"""Converters of single values between the forms systems write and the hub's canonical form. Pure, total, invertible or named lossy.

Look one up by name: `schemas.converters.registry.converter`. A blank value is refused like any other outside the domain: what absence
means is the mapping's to say, field by field.
"""
