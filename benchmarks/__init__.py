"""The README's figures. Each is printed beside the raw cost of the same moment on the same workers, as a ratio."""
