"""One module for each provider that comes along."""
