"""Read a warehouse: open it, and fetch what commands need."""
