"""Pillow loads its formats when a file is saved."""

from PIL import Image

Image.new("RGB", (4, 4)).save("image.png")
print(Image.open("image.png").size)
