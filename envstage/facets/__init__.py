"""One module a facet: the facts that it gives, their levels, and how to collect them."""
