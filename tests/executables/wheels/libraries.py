# run:
"""Pillow: libraries that a wheel brings, of which some need each other."""

import io

from PIL import Image, ImageDraw, ImageFont, features

image = Image.new("RGB", (64, 64), "red")
ImageDraw.Draw(image).text((1, 1), "text", font=ImageFont.load_default())
for name in ("PNG", "JPEG", "WEBP", "TIFF", "JPEG2000", "AVIF", "GIF"):
    file = io.BytesIO()
    image.save(file, name)
    print(name, len(file.getvalue()), Image.open(file).convert("RGB").getpixel((60, 60)))
print(features.get_supported())
print(image.resize((8, 8)).tobytes()[:24])
