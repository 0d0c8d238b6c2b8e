"""The event language: 512 ids, their grammar, pieces to ids and back."""
