"""Starts the recorder, from beside its package."""

from ekiben_record.main import main

main()
