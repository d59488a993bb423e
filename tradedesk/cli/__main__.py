"""`python -m tradedesk.cli` is the console script."""

from tradedesk.cli.entry import main

if __name__ == "__main__":
    main()
