"""A template rendered by Jinja: compiled at run time, without a file."""

from jinja2 import DictLoader, Environment

environment = Environment(loader=DictLoader({"page": "{% for i in items %}{{ i }} {% endfor %}"}))
print(environment.get_template("page").render(items=[1, 2]))
