"""Reports as files: tables and figures of a day laid out as CSV, workbook, JSON and PDF, a folder a day."""
