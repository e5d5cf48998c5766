"""The orchestration: run the probe and the facets, assemble snapshot and views, write them."""
