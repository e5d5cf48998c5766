"""Formats that other tools and people read: one module a format, a snapshot in, text out."""
