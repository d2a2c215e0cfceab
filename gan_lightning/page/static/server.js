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

// One image of an answer as a canvas of its own size.
export function tile({ channels, height, width, pixels }, index = 0) {
  const canvas = new OffscreenCanvas(width, height), area = height * width;
  const data = new ImageData(width, height), first = index * channels * area;
  for (let i = 0; i < area; i++) {
    for (let c = 0; c < 3; c++) data.data[4 * i + c] = pixels[first + (channels === 1 ? i : c * area + i)];
    data.data[4 * i + 3] = 255;
  }
  canvas.getContext("2d").putImageData(data, 0, 0);
  return canvas;
}

export function paint(canvas, image) {
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = false;
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
}

// side x side images of an answer, filling a canvas.
export function paintGrid(canvas, images, side, gap = 0) {
  const context = canvas.getContext("2d"), cell = canvas.width / side;
  context.imageSmoothingEnabled = images.width >= cell;
  context.fillStyle = "#000";
  context.fillRect(0, 0, canvas.width, canvas.height);
  for (let i = 0; i < images.count; i++) {
    const x = (i % side) * cell, y = Math.floor(i / side) * cell;
    context.drawImage(tile(images, i), x + gap, y + gap, cell - 2 * gap, cell - 2 * gap);
  }
}
