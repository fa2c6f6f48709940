"""Kiosk: the screen at the door, its pairing and rotating code, and check-in by scanning it."""
