"""From a generator to images: latents, drawing, writing."""
