"""The hub's HTTP faces: REST under `/api/v1`, SOAP under `/soap/v1`, health under `/health`. Thin: the work is in `hub`."""
