"""Backup and restore: `flask backup` and `flask restore`.

`commands` are the commands, `sqlite_backup` and `postgresql_backup` copy a database into a file and back, `archive` says
what such a file is, `settle` makes a restored database safe to serve.
"""
