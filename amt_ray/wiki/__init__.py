"""A song and its Wikipedia article: titles to ask for, match and confidence, client, cache, offline dump."""
