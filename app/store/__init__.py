"""The store: tables, chunk codec, carrier bitmaps and the queries over them, in SQL through SQLAlchemy Core."""
