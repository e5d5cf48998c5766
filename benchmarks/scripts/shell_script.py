"""A shell script that runs two Pythons."""
# command: sh -c "python -c 'import yaml' && python -c 'import jinja2; print(jinja2)'"
