"""Database: transactions and locks, and whether the tables are as this code wants them."""
