"""The built-in node types, a module per family. Each registers itself; `handlers.registry.load` imports them all."""
