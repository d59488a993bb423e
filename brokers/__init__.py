"""One contract, one folder a broker; adapters speak wire formats and decide nothing."""
