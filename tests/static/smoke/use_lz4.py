import lz4.block
import lz4.frame

data = b"static programs " * 1000
print(len(lz4.block.compress(data)), lz4.block.decompress(lz4.block.compress(data)) == data)
print(lz4.frame.decompress(lz4.frame.compress(data)) == data, lz4.library_version_string())
try:
    lz4.frame.decompress(b"no frame at all")
except RuntimeError as error:
    print(error)
