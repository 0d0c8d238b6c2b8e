"""Bytes to `Piece` and back: scan, parse, validate, features, General MIDI, write."""
