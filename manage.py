"""Django's command line; `flowmaestro` is the same with shorter typing."""

from flowmaestro.cli import main

if __name__ == "__main__":
    main()
