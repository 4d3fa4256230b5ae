# run:
"""Imports much of the standard library."""

import asyncio
import json
import sqlite3
import ssl

print(json.dumps([asyncio.__name__, ssl.__name__, sqlite3.__name__]))
