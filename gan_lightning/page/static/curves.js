// The losses of D and G over images seen, and where we are.

import { value } from "./recording.js";

export function drawCurves(canvas, recording, point, phase) {
  const context = canvas.getContext("2d"), style = getComputedStyle(document.documentElement);
  const ink = (name) => style.getPropertyValue(name).trim();
  const width = canvas.clientWidth || 560, height = 150, sharp = window.devicePixelRatio || 1;
  [canvas.width, canvas.height] = [Math.round(width * sharp), Math.round(height * sharp)];
  context.scale(sharp, sharp);
  const left = 38, right = width - 8, top = 18, bottom = height - 22;
  const series = [[0, "D", ink("--d"), []], [1, "G", ink("--g"), [7, 4]]];
  const all = [0, 1].flatMap((which) => recording.seen.map((_, t) => value(recording, "losses", t, 0, which)));
  const usual = [...all].sort((a, b) => a - b);
  const low = Math.min(0, usual[0]), high = usual[Math.floor(0.98 * (usual.length - 1))] * 1.1 || 1;
  const last = recording.seen[recording.count - 1] || 1;
  const x = (seen) => left + (seen / last) * (right - left);
  const y = (loss) => bottom - ((Math.min(loss, high) - low) / (high - low)) * (bottom - top);
  context.font = "13px system-ui, sans-serif";
  context.fillStyle = ink("--quiet");
  context.strokeStyle = ink("--line");
  context.lineWidth = 1;
  context.setLineDash([]);
  for (const mark of [low, (low + high) / 2, high]) {
    context.beginPath();
    context.moveTo(left, y(mark));
    context.lineTo(right, y(mark));
    context.stroke();
    context.textAlign = "right";
    context.textBaseline = "middle";
    context.fillText(mark.toFixed(high < 2 ? 2 : 1), left - 5, y(mark));
  }
  context.textBaseline = "alphabetic";
  context.fillText(`${last.toLocaleString("en")} images seen`, right, height - 5);
  context.textAlign = "left";
  context.fillText("0", left, height - 5);
  context.lineWidth = 2;
  for (const [which, name, colour, dash] of series) {
    context.strokeStyle = context.fillStyle = colour;
    context.setLineDash(dash);
    context.beginPath();
    recording.seen.forEach((seen, t) => context.lineTo(x(seen), y(value(recording, "losses", t, 0, which))));
    context.stroke();
    context.setLineDash([]);
    context.beginPath();
    context.arc(x(recording.seen[point]), y(value(recording, "losses", point, phase, which)), 4.5, 0, 2 * Math.PI);
    context.fill();
    context.fillText(`loss of ${name}${which ? " (dashed)" : ""}`, left + 8 + which * 110, 12);
  }
  context.strokeStyle = ink("--ink");
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(x(recording.seen[point]), top);
  context.lineTo(x(recording.seen[point]), bottom);
  context.stroke();
}
