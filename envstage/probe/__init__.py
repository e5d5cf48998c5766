"""The probe: what an interpreter is and what is installed for it.

`main.py` is started by its absolute path under the interpreter that it describes. It needs
nothing but that interpreter's standard library (3.8 or newer), imports nothing else of
envstage, and answers with one framed line of JSON. envstage's own interpreter is probed the
same way.
"""
