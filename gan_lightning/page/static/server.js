// What the page asks its server, and pictures drawn from the answers.

export class Refused extends Error {}

async function answered(response) {
  if (response.ok) return response;
  let words = `The server answered ${response.status}.`;
  try { words = (await response.json()).error ?? words; } catch { /* no JSON */ }
  throw new Refused(words);
}

async function ask(path, options) {
  let response;
  try { response = await fetch(path, options); } catch {
    throw new Refused("The server does not answer: is the command still running?");
  }
  return answered(response);
}

export const get = async (path) => (await ask(path)).json();
export const latentsOf = async (seed, count) => (await get(`/api/latents?seed=${seed}&count=${count}`)).z;
export const postPng = async (path, blob) =>
  (await ask(path, { method: "POST", body: blob, headers: { "Content-Type": "image/png" } })).json();

const short = (rows) => rows.map((z) => z.map((x) => Math.round(x * 1e4) / 1e4));

// -> {count, channels, height, width, pixels}
export async function imagesOf(z, y, truncation) {
  const asked = { z: short(z) };
  if (y !== null) asked.y = y;
  if (truncation !== null) asked.truncation = truncation;
  const response = await ask("/api/images", {
    method: "POST", body: JSON.stringify(asked), headers: { "Content-Type": "application/json" },
  });
  const [count, channels, height, width] = response.headers.get("X-Shape").split(",").map(Number);
  return { count, channels, height, width, pixels: new Uint8Array(await response.arrayBuffer()) };
}

// Some images of an answer on a canvas of their own size, row by row; several have a black rim.
export function sheet({ channels, height, width, pixels }, columns = 1, first = 0, count = 1) {
  const rim = count > 1 ? 1 : 0, rows = Math.ceil(count / columns), area = height * width;
  const across = columns * (width + 2 * rim), down = rows * (height + 2 * rim);
  const data = new ImageData(across, down), out = new Uint32Array(data.data.buffer).fill(0xff000000);
  const [green, blue] = channels === 1 ? [0, 0] : [area, 2 * area];
  for (let i = 0; i < count; i++) {
    const top = Math.floor(i / columns) * (height + 2 * rim) + rim;
    const corner = top * across + (i % columns) * (width + 2 * rim) + rim;
    let from = (first + i) * channels * area;
    for (let y = 0; y < height; y++) {
      for (let x = 0, to = corner + y * across; x < width; x++, to++, from++) {
        out[to] = 0xff000000 | (pixels[from + blue] << 16) | (pixels[from + green] << 8) | pixels[from];
      }
    }
  }
  const canvas = new OffscreenCanvas(across, down);
  canvas.getContext("2d").putImageData(data, 0, 0);
  return canvas;
}

export function paint(canvas, image, smooth = false) {
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = smooth;
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
}
