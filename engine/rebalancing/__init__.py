"""Model portfolios and what brings clients to them: targets, drift, and a plan of sales and buys."""
