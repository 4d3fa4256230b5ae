"""Runs a project's setup.py and tells what it asked setuptools for, without doing any of it.

setuptools, distutils and the usual helpers of setup scripts are replaced by recorders, installed or
not, so that the answer depends on the script alone. Paths that only exist in a stand-in's world
begin with `events.STAND_IN`; the reader, which is in Rust, knows what they mean.

The package's name is one that no project's own modules have, for they are imported beside it.
"""
