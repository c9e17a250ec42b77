"""Networks as plain modules: policies, heads, attention, value normalisation."""
