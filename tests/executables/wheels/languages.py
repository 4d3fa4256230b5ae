# run: rust
# run: stable
# run: exception
# run: panic
"""Modules in Rust, for the stable ABI, and in C++ with its exceptions."""

import sys
import threading

what = sys.argv[1]
if what == "rust":
    from pydantic_core import SchemaValidator, ValidationError, core_schema, from_json

    schema = core_schema.list_schema(core_schema.int_schema())
    print(SchemaValidator(schema).validate_python(["1", 2]), from_json(b'{"a": [1.5, null]}'))
    try:
        SchemaValidator(schema).validate_python(["x"])
    except ValidationError as error:
        print(error)
if what == "stable":
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature
    from cryptography.fernet import Fernet, InvalidToken
    from cryptography.hazmat.bindings import _rust
    from cryptography.hazmat.primitives.asymmetric import ed25519

    print(_rust.__file__.split("/")[-1], x509.oid.NameOID.COMMON_NAME)
    key = ed25519.Ed25519PrivateKey.from_private_bytes(b"k" * 32)
    print(key.sign(b"text").hex())
    try:
        key.public_key().verify(b"s" * 64, b"text")
    except InvalidSignature as error:
        print(type(error))
    try:
        Fernet(Fernet.generate_key()).decrypt(b"text")
    except InvalidToken as error:
        print(type(error))
if what == "exception":
    import contourpy

    def wrong():
        for kind in ("serial", "threaded"):
            lines = contourpy.contour_generator(z=[[0, 1], [1, 2]], name=kind)
            try:
                lines.filled(2, 1)
            except ValueError as error:
                print(error)
            print([line.tolist() for line in lines.lines(0.5)])

    wrong()
    thread = threading.Thread(target=wrong)
    thread.start()
    thread.join()
if what == "panic":
    from pydantic_core import SchemaValidator

    SchemaValidator({"type": "nothing"})
