"""A notebook executed by `jupyter nbconvert`."""
# command: jupyter nbconvert --to notebook --execute analysis.ipynb --output out.ipynb
