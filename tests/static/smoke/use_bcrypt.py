import bcrypt

hashed = bcrypt.hashpw(b"password", b"$2b$04$" + b"a" * 21 + b"u")
print(hashed, bcrypt.checkpw(b"password", hashed), bcrypt.checkpw(b"other", hashed))
try:
    bcrypt.hashpw(b"x", b"no salt")
except ValueError as error:
    print(error)
