"""Any table, its columns named by the user."""
