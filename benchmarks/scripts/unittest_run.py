"""`python -m unittest` over a file of the project."""
# command: python -m unittest {script}

import unittest

import jinja2


class Rendering(unittest.TestCase):
    def test_it(self):
        self.assertEqual(jinja2.Template("{{ a }}").render(a=1), "1")
