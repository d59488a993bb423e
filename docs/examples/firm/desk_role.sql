-- Which desks, keep and workers connect as; `tradedesk db grant desk` says what it may do.
CREATE ROLE desk LOGIN PASSWORD 'change me';
