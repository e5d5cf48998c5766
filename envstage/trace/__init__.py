"""Verifying traces: what a capture asked of the machine, and whether it still gets these answers.

A capture is a function of what it asked through the one door (`envstage.world`). Its questions
and answers are kept in the user's cache; while every question has the same answer and every
file that was written is still the same, there is nothing to capture: `envstage capture` says so
without loading the rest of envstage. A capture that looked past the door has no trace.

Everything here but `recording` runs before anything else is imported, and imports as little:
`os`, `sys`, `time`. (Verifying traces: Mokhov, Mitchell, Peyton Jones: Build systems à la
carte, 2018.)
"""
