"""Database: transactions and locks, and whether the schema is the one that this code needs."""
