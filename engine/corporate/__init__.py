"""Companies' actions in clients' books: splits, bonuses, dividends, mergers, new ISINs."""
