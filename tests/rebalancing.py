"""A model of five stocks, and clients that hold of them, for tests and benches of rebalancing."""

from datetime import UTC, date, datetime
from pathlib import Path

from engine.rebalancing.model import Model, ModelRules, Target
from engine.rebalancing.planner import ClientStand, ModelMarket
from engine.rebalancing.shares import HeldStock, sale_tax
from engine.rebalancing.working import StockPrice

TODAY = date(2026, 11, 18)
LAKH = 1_00_000_00
SYMBOLS = ("INFY", "TCS", "HDFCBANK", "SBIN", "MARUTI")


def model(rules: ModelRules) -> Model:
    """IT 30 %, Banks 40 %, Auto 30 %."""
    targets = (
        Target("NSE:INFY", "IT", 3000, 5000),
        Target("NSE:TCS", "IT", 3000, 5000),
        Target("NSE:HDFCBANK", "Banks", 4000, 6000),
        Target("NSE:SBIN", "Banks", 4000, 4000),
        Target("NSE:MARUTI", "Auto", 3000, 10000),
    )
    return Model("Balanced", 1, targets, rules, (), "trader", datetime(2026, 11, 1, tzinfo=UTC))


def price(symbol: str, paise: int) -> StockPrice:
    """A stock whose buys reserve two percent more than its last price."""
    return StockPrice(symbol, symbol, "NSE", paise, paise * 102 // 100)


def around(made: Model, **rupees: int) -> ModelMarket:
    """What is the same for all clients, at these prices."""
    prices = {f"NSE:{symbol}": price(symbol, last * 100) for symbol, last in rupees.items()}
    return ModelMarket(made, prices, TODAY, sale_tax(TODAY))


def held(quantity: int) -> HeldStock:
    """Settled shares that may all be sold."""
    return HeldStock(quantity, quantity, settled=quantity)


def stand(cash: int, **shares: HeldStock) -> ClientStand:
    """A client of Zerodha with so many rupees, that holds these."""
    of = {f"NSE:{symbol}": one for symbol, one in shares.items()}
    return ClientStand(1, "AM1001", "Aarav Mehta", "zerodha", cash * 100, of, {}, {})


ROWS = "IT,25,INFY,60\nIT,,TCS,40\nBanks,35,HDFCBANK,60\nBanks,,SBIN,40\nEnergy,20,RELIANCE,100\n"


def model_file(folder: Path, rows: str = ROWS) -> Path:
    """A file of targets: IT 25 %, Banks 35 %, Energy 20 %, the rest cash."""
    file = folder / "balanced.csv"
    file.write_text(f"sector,target,symbol,weight\n{rows}")
    return file
