import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import NameOID

key = Fernet(b"A" * 43 + b"=")
print(key.decrypt(key.encrypt(b"secret")))
private = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32))
signature = private.sign(b"data")
print(signature.hex()[:16])
try:
    private.public_key().verify(signature, b"other")
except InvalidSignature:
    print("refused")
name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ekiben")])
secret = ec.generate_private_key(ec.SECP256R1())
day = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
builder = x509.CertificateBuilder(name, name, secret.public_key(), 5, day, day)
certificate = builder.sign(secret, hashes.SHA256())
pem = certificate.public_bytes(serialization.Encoding.PEM)
print(x509.load_pem_x509_certificate(pem).subject.rfc4514_string())
