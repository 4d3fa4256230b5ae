import io

from PIL import Image, ImageChops, ImageDraw, ImageFilter, features

image = Image.new("RGB", (64, 48), "navy")
ImageDraw.Draw(image).ellipse((8, 8, 40, 40), fill="orange")
image = image.filter(ImageFilter.GaussianBlur(2)).resize((32, 24)).rotate(30)
for kind in ["PNG", "JPEG", "GIF", "TIFF"]:
    file = io.BytesIO()
    image.save(file, kind)
    again = Image.open(io.BytesIO(file.getvalue())).convert("RGB")
    box = ImageChops.difference(image, again).getbbox()
    print(kind, again.size, box is None or kind in ("JPEG", "GIF"))
print(features.check("jpg"), features.check("zlib"), image.getpixel((16, 12)))
