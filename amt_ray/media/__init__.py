"""A piece as sound and as a picture, and the web page that shows both."""
