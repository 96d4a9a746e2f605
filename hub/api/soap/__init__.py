"""The SOAP face, `/soap/v1`: document/literal wrapped, SOAP 1.1 and 1.2, written by hand on the one XML parser."""
