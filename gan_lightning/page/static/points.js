// Points of the plane: D's field, reals, fakes; what D's step changed; where G's step went.

import { scaled, UNIT } from "./recording.js";

const REAL = [33, 102, 172], NEITHER = [247, 247, 247], FAKE = [178, 24, 43];
const REACH = 1.04;  // the square that is seen, in the places' units
const ORANGE = "#f28e1c";

function colour(answer) {
  const end = answer > 0.5 ? REAL : FAKE, share = Math.min(1, Math.abs(answer - 0.5) * 2) ** 0.8;
  return NEITHER.map((n, i) => n + share * (end[i] - n));
}

function field(recording, point, share) {
  const side = recording.arrays.field.shape[1], half = recording.arrays.change.shape[1];
  const after = recording.arrays.field.at(point), change = scaled(recording, "change", point);
  const pixels = new ImageData(side, side);
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const moved = change[Math.min(half - 1, row >> 1) * half + Math.min(half - 1, column >> 1)];
      const answer = after[row * side + column] / 255 - (1 - share) * moved;
      const at = 4 * ((side - 1 - row) * side + column);
      pixels.data.set([...colour(Math.min(1, Math.max(0, answer))), 255], at);
    }
  }
  const canvas = new OffscreenCanvas(side, side);
  canvas.getContext("2d").putImageData(pixels, 0, 0);
  return canvas;
}

export function drawPoints(view, recording, point, phase, share) {
  const context = view.getContext("2d"), size = view.width;
  view.height = size;
  const x = (place) => ((place + REACH) / (2 * REACH)) * size;
  const y = (place) => size - x(place);
  context.fillStyle = "#777";
  context.fillRect(0, 0, size, size);
  context.imageSmoothingEnabled = true;
  const edge = x(-1);
  context.drawImage(field(recording, point, phase === 0 ? 0 : phase === 1 ? share : 1), edge, edge, size - 2 * edge, size - 2 * edge);

  const reals = recording.arrays.reals.values, fakes = recording.arrays.fakes.at(point);
  const moves = scaled(recording, "moves", point);
  if (phase === 1) signs(context, recording, point, x, y, share);
  for (let i = 0; i < reals.length; i += 2) dot(context, x(reals[i] / UNIT), y(reals[i + 1] / UNIT), 2.5, "#000");
  const moved = phase === 2 ? share : 0;
  for (let i = 0; i < fakes.length; i += 2) {
    const from = [fakes[i] / UNIT, fakes[i + 1] / UNIT];
    const to = [from[0] + moved * moves[i], from[1] + moved * moves[i + 1]];
    if (phase === 2) way(context, x(from[0]), y(from[1]), x(to[0]), y(to[1]));
  }
  for (let i = 0; i < fakes.length; i += 2) {
    const to = [fakes[i] / UNIT + moved * moves[i], fakes[i + 1] / UNIT + moved * moves[i + 1]];
    dot(context, x(to[0]), y(to[1]), 4.5, ORANGE, "#5a2d00");
  }
  if (phase === 1 && share === 1) pulls(context, recording, point, x, y);
}

function dot(context, x, y, radius, fill, line = "") {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fillStyle = fill;
  context.fill();
  if (line) { context.lineWidth = 1; context.strokeStyle = line; context.stroke(); }
}

// Where the fake was, and its way from there.
function way(context, x0, y0, x1, y1) {
  context.lineWidth = 1.6;
  context.strokeStyle = "#222";
  context.beginPath();
  context.arc(x0, y0, 3.5, 0, 2 * Math.PI);
  context.moveTo(x0, y0);
  context.lineTo(x1, y1);
  context.stroke();
}

// + where D's answer rose, - where it fell: the larger, the more.
function signs(context, recording, point, x, y, share) {
  const side = recording.arrays.change.shape[1], change = scaled(recording, "change", point);
  const most = change.reduce((best, one) => Math.max(best, Math.abs(one)), 1e-9);
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.lineWidth = 3;
  context.globalAlpha = share;
  for (let row = 1; row < side; row += 2) {
    for (let column = 1; column < side; column += 2) {
      const part = change[row * side + column] / most;
      if (Math.abs(part) < 0.12) continue;
      const at = [x(-1 + (2 * column * 2) / (2 * side - 1)), y(-1 + (2 * row * 2) / (2 * side - 1))];
      context.font = `700 ${12 + 22 * Math.abs(part)}px system-ui, sans-serif`;
      context.strokeStyle = "#fff";
      context.strokeText(part > 0 ? "+" : "−", ...at);
      context.fillStyle = part > 0 ? "#0b3c7a" : "#8a0f20";
      context.fillText(part > 0 ? "+" : "−", ...at);
    }
  }
  context.globalAlpha = 1;
}

// Arrows at the fakes: where D's answer now rises the fastest, so where G's step will push.
function pulls(context, recording, point, x, y) {
  const fakes = recording.arrays.fakes.at(point), all = scaled(recording, "pulls", point);
  const lengths = Array.from({ length: all.length / 2 }, (_, i) => Math.hypot(all[2 * i], all[2 * i + 1]));
  const usual = [...lengths].sort((a, b) => a - b)[Math.floor(0.8 * lengths.length)] || 1e-9;
  context.strokeStyle = context.fillStyle = "#222";
  context.lineWidth = 1.4;
  for (let i = 0; i < fakes.length; i += 2) {
    const length = Math.min(1.5, lengths[i / 2] / usual);
    if (length < 0.1) continue;
    const [dx, dy] = [all[i] / lengths[i / 2], -all[i + 1] / lengths[i / 2]];
    const [x0, y0] = [x(fakes[i] / UNIT), y(fakes[i + 1] / UNIT)];
    const [x1, y1] = [x0 + 24 * length * dx, y0 + 24 * length * dy];
    context.beginPath();
    context.moveTo(x0, y0);
    context.lineTo(x1, y1);
    context.stroke();
    context.beginPath();
    context.moveTo(x1 + 4 * dx, y1 + 4 * dy);
    context.lineTo(x1 - 3 * dy, y1 + 3 * dx);
    context.lineTo(x1 + 3 * dy, y1 - 3 * dx);
    context.fill();
  }
}
