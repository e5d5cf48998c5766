"""What a run really used: a start-up hook for every Python process below, and its reader.

`hook`, `recorder` and what it loads when it is needed (`entries`, `hosts`, `providers`, `started`)
run inside the observed processes: the standard library only, any Python from 3.8 on, loaded by
path. `observation` runs in envstage itself.
"""
