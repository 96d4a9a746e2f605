"""Tests of the shapes: errors, agency codes, the parser, edXML."""
