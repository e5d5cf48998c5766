"""What a run really used: a start-up hook for every Python process below, and its reader.

Inside the observed processes run `hook`, `recorder` with its parts (`report`, `finder`, `others`,
`machine`), and what it loads when it is needed (`entries`, `hosts`, `providers`, `started`): the
standard library only, any Python from 3.8 on, loaded by path. `observation` runs in envstage
itself.
"""
