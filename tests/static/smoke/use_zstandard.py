import zstandard
from zstandard import backend_c

data = b"static programs " * 1000
assert zstandard.ZstdCompressor is backend_c.ZstdCompressor
packed = zstandard.ZstdCompressor(level=9, threads=2).compress(data)
print(len(packed), zstandard.ZstdDecompressor().decompress(packed) == data)
words = [b"word%d and word%d" % (n, n * 7) for n in range(2000)]
print(len(zstandard.train_dictionary(2048, words).as_bytes()))
