"""Middleware: WSGI layers before Flask: allowed hosts, and request buffering with a concurrency limit."""
