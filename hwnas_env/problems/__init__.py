"""Problems: one search space on one device, with exact answers and a ledger."""
