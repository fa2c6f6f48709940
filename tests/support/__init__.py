"""Test support: servers, casts, crash helpers and whatever several tests share."""
