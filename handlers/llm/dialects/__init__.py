"""The protocols of model providers, a module each, with the providers that speak it."""
