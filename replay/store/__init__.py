"""The store: one schema in SQLAlchemy Core for SQLite (embedded) and PostgreSQL (production)."""
