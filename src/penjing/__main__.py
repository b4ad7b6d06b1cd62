"""`python -m penjing` is the command `penjing`."""

from __future__ import annotations

from penjing.cli.main import main

if __name__ == "__main__":
    main()
