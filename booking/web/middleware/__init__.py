"""Middleware: what every request passes before Flask is asked: the allowed hosts, and request buffering."""
