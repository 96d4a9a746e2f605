"""QLVB&ĐH: a document management system that takes packets by SOAP."""
