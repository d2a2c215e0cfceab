// A digit drawn by hand: how the data would have it, its class, D's verdict, the nearest fake.

import { paint, postPng, sheet } from "./server.js";

const $ = (id) => document.getElementById(id);
const BRUSH = 22;

const picture = ({ shape: [channels, height, width], pixels }) => sheet({ channels, height, width, pixels });

const opinion = ({ pFake, judge, calibrated }) =>
  pFake ? `D: P(fake) = ${pFake[0].toFixed(2)}, so it takes it for ${pFake[0] > 0.5 ? "a fake" : "real"}.${calibrated ? "" : " (Not calibrated: python sample.py mode=judge does that.)"}` : judge;

export function startDrawing(about, label, say, take) {
  const canvas = $("canvas"), context = canvas.getContext("2d");
  let last = null, drawn = false, round = 0, found = null;

  const bars = Array.from({ length: 10 }, (_, digit) => {
    const bar = document.createElement("div"), fill = document.createElement("i");
    bar.append(fill, String(digit));
    $("bars").append(bar);
    return fill;
  });

  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) * canvas.width) / box.width, ((event.clientY - box.top) * canvas.height) / box.height];
  };
  function line([x, y]) {
    Object.assign(context, { strokeStyle: "#fff", lineWidth: BRUSH, lineCap: "round", lineJoin: "round" });
    context.beginPath();
    context.moveTo(...(last ?? [x, y]));
    context.lineTo(x, y + 0.01);
    context.stroke();
    last = [x, y];
    drawn = true;
  }
  function clear() {
    context.fillStyle = "#000";
    context.fillRect(0, 0, canvas.width, canvas.height);
    [last, drawn, found] = [null, false, null];
    round += 1;
    $("answers").hidden = true;
  }
  canvas.addEventListener("pointerdown", (event) => { canvas.setPointerCapture(event.pointerId); last = null; line(place(event)); });
  canvas.addEventListener("pointermove", (event) => {
    if (last) for (const each of event.getCoalescedEvents?.() ?? [event]) line(place(each));
  });
  canvas.addEventListener("pointerup", () => { last = null; look(); });
  canvas.addEventListener("pointercancel", () => { last = null; });
  $("clear").addEventListener("click", clear);
  $("take").addEventListener("click", () => { if (found) take(found.z, found.y); });
  clear();
  if (!["mnist", "digits"].includes(about.dataset)) $("h-draw").textContent = "Draw something";

  async function look() {
    if (!drawn) return;
    const mine = (round += 1);
    try {
      const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
      const asked = about.labels.length ? `?label=${label()}` : "";
      const answer = await postPng(`/api/drawing${asked}`, blob);
      if (mine !== round) return;
      $("answers").hidden = false;
      paint($("prepared"), picture(answer.picture));
      classified(answer);
      $("judged").textContent = opinion(answer);
      $("take").hidden = true;
      $("nearest-words").textContent = "looking for the nearest fake ...";
      $("nearest").getContext("2d").clearRect(0, 0, 84, 84);
      await new Promise((done) => setTimeout(done, 400));  // another stroke may follow
      if (mine !== round) return;
      const nearest = await postPng("/api/nearest", blob);
      if (mine !== round) return;
      found = nearest;
      paint($("nearest"), picture(nearest.picture));
      const kind = nearest.y === null ? "" : `, drawn as a ${nearest.y}`;
      const among = nearest.moved ? "" : " of a thousand samples, for this generator has no gradients";
      $("nearest-words").textContent = `nearest fake${among}${kind}; off by ${nearest.error.toFixed(2)} a pixel`;
      $("judged").textContent = `${opinion(answer)}${nearest.pFake ? ` Of the nearest fake: ${nearest.pFake[0].toFixed(2)}.` : ""}`;
      $("take").hidden = false;
    } catch (error) { if (mine === round) say(error.message); }
  }

  function classified({ p, guess, classifier }) {
    $("bars").hidden = !p;
    if (!p) { $("classified").textContent = classifier; return; }
    $("classified").textContent = `The classifier says ${guess} (${(100 * p[guess]).toFixed(0)} %).`;
    bars.forEach((fill, digit) => { fill.style.height = `${75 * p[digit]}%`; });
  }
}
