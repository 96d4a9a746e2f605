"""Phần mềm chuyên ngành: a line-of-business system that takes packets from a broker, or by REST where there is none."""
