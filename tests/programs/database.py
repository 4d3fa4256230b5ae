"""A database on disk, and a talk over TLS about it: the arguments are the certificate and the key."""

import contextlib
import socket
import sqlite3
import ssl
import sys
import threading

FILE = "stars.db"


def fill():
    with contextlib.closing(sqlite3.connect(FILE)) as database:
        with database:
            database.execute("CREATE TABLE star (name TEXT PRIMARY KEY, magnitude REAL)")
            stars = [("Sirius", -1.46), ("Canopus", -0.74), ("Arcturus", -0.05), ("Vega", 0.03)]
            database.executemany("INSERT INTO star VALUES (?, ?)", stars)
        try:
            with database:
                database.execute("DELETE FROM star")
                database.execute("INSERT INTO star VALUES ('Sun', -26.74), ('Sun', 0)")
        except sqlite3.IntegrityError as error:
            print("taken back:", error)
        database.create_function("shout", 1, str.upper, deterministic=True)
        print(database.execute("SELECT shout(name) FROM star ORDER BY name LIMIT 1").fetchone())
        print(database.execute("SELECT json_group_array(name) FROM star").fetchone())


def locked():
    first, second = (sqlite3.connect(FILE, timeout=0, isolation_level=None) for _ in range(2))
    with contextlib.closing(first), contextlib.closing(second):
        first.execute("BEGIN IMMEDIATE")
        try:
            second.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            print("the second waits:", error)
        first.execute("ROLLBACK")
        with contextlib.closing(sqlite3.connect("copy.db")) as copy:
            first.backup(copy)
            print(copy.execute("PRAGMA integrity_check").fetchone())


def serve(listener, context, problems):
    for _ in range(2):
        connection, _ = listener.accept()
        try:
            with context.wrap_socket(connection, server_side=True) as tls:
                name = tls.recv(100).decode()
                with contextlib.closing(sqlite3.connect(FILE)) as database:
                    query = "SELECT magnitude FROM star WHERE name = ?"
                    (magnitude,) = database.execute(query, [name]).fetchone()
                tls.sendall(f"{name}: {magnitude}".encode())
        except ssl.SSLError as error:
            problems.append(error.reason)


def talk(port, context):
    with socket.create_connection(("127.0.0.1", port)) as connection:
        with context.wrap_socket(connection, server_hostname="localhost") as tls:
            tls.sendall(b"Vega")
            print(tls.version(), tls.cipher()[0], tls.recv(100).decode())
            print(tls.getpeercert()["subject"])


def main(certificate, key):
    fill()
    locked()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        problems = []
        server = threading.Thread(target=serve, args=[listener, context, problems])
        server.start()
        port = listener.getsockname()[1]
        talk(port, ssl.create_default_context(cafile=certificate))
        try:
            # Nothing that it knows vouches for the server.
            talk(port, ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        except ssl.SSLCertVerificationError as error:
            print("client:", error.verify_message)
        server.join()
        print("server:", problems)


if __name__ == "__main__":
    main(*sys.argv[1:])
