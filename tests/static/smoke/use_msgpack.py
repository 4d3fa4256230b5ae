import msgpack
from msgpack import _cmsgpack

assert msgpack.Packer is _cmsgpack.Packer
data = {"a": [1, -2, 3.5, None, True], "b": b"\0\xff", "c": "é" * 40}
packed = msgpack.packb(data)
print(packed.hex(), msgpack.unpackb(packed) == data)
print(msgpack.unpackb(msgpack.packb(msgpack.Timestamp(5, 6)), timestamp=1))
