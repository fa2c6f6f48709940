"""Kiosk: the check-in screen at a station, its pairing and rotating code, and check-in by scanning it."""
