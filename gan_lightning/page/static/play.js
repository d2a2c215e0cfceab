// The play tab: one latent and label, moved by the map, its neighbours and the sliders.

import { bilinear, directions, neighbours } from "./latent.js";
import { imagesOf, latentsOf, paint, sheet } from "./server.js";
import { startDrawing } from "./draw.js";
import { choice, makeSliders } from "./sliders.js";

const $ = (id) => document.getElementById(id);
const MANY = 20;  // labels, from which on they are a list

export async function startPlay(about, say) {
  const state = {
    z: [], y: about.labels.length ? about.labels[0] : null, corners: [], kept: [0.5, 0.5],
    map: null, directions: null, truncation: null, picture: null,
  };
  const mapSide = Math.max(1, Math.min(7, Math.floor(Math.sqrt(about.most))));
  const aroundSide = about.most >= 25 ? 5 : about.most >= 9 ? 3 : 1;
  let busy = false, wanted = false, since = 0;

  // One request on its way, and after it the latest wish: a fast pointer leaves no queue.
  async function draw() {
    since ||= performance.now();
    if (busy) { wanted = true; return; }
    busy = true;
    try {
      do {
        wanted = false;
        const began = since, spread = Number($("spread").value);
        since = 0;
        const z = neighbours(state.z, aroundSide, spread, state.directions);
        const images = await imagesOf(z, state.y, state.truncation);
        state.picture = sheet(images, 1, (images.count - 1) / 2);
        for (const id of ["picture", "mini"]) paint($(id), state.picture);
        paint($("around"), sheet(images, aroundSide, 0, images.count), true);
        frame($("around"), aroundSide);
        document.body.dataset.milliseconds = (performance.now() - began).toFixed(1);
        say("");
      } while (wanted);
    } catch (error) { say(error.message); } finally { busy = false; }
  }

  function frame(canvas, side) {
    const context = canvas.getContext("2d"), cell = canvas.width / side, first = cell * (side - 1) / 2;
    context.strokeStyle = "#ff8a3d";
    context.lineWidth = 3;
    context.strokeRect(first + 1.5, first + 1.5, cell - 3, cell - 3);
  }

  async function drawMap() {
    const places = Array.from({ length: mapSide ** 2 }, (_, i) => {
      const at = (n) => (mapSide === 1 ? 0.5 : n / (mapSide - 1));
      return bilinear(state.corners, at(i % mapSide), at(Math.floor(i / mapSide)));
    });
    try {
      const images = await imagesOf(places, state.y, state.truncation);
      state.map = new OffscreenCanvas($("pad").width, $("pad").height);
      paint(state.map, sheet(images, mapSide, 0, images.count), true);
      marker(state.kept);
    } catch (error) { say(error.message); }
  }

  // The outer images of the map stand for the corners: its middle parts are between.
  const inset = 0.5 / mapSide;
  const toMap = (x) => Math.min(1, Math.max(0, (x - inset) / (1 - 2 * inset || 1)));
  const onPad = (u) => inset + u * (1 - 2 * inset);

  function marker([u, v]) {
    const canvas = $("pad"), context = canvas.getContext("2d");
    if (state.map) context.drawImage(state.map, 0, 0);
    context.beginPath();
    context.arc(onPad(u) * canvas.width, onPad(v) * canvas.height, 9, 0, 2 * Math.PI);
    context.lineWidth = 5; context.strokeStyle = "#000"; context.stroke();
    context.lineWidth = 3; context.strokeStyle = "#ff8a3d"; context.stroke();
  }

  function go([u, v], keep) {
    if (keep) state.kept = [u, v];
    if (!state.corners.length) return;
    moveTo(bilinear(state.corners, u, v));
    marker([u, v]);
  }

  function moveTo(z) {
    state.z = z;
    showLatent(z);
    draw();
  }

  async function restart() {
    try {
      const seed = Math.max(0, Math.min(4294967295, Math.round(Number($("seed").value)) || 0));
      $("seed").value = seed;
      state.corners = await latentsOf(seed, Math.min(4, about.most));
      while (state.corners.length < 4) state.corners.push(state.corners[0]);
      state.directions = directions(about.latentDim, seed);
      go(state.kept, true);
      await drawMap();
    } catch (error) { say(error.message); }
  }

  followPad();
  pickNeighbours();
  buildClasses();
  const showLatent = makeSliders(about, () => state.z, (z) => { state.z = z; draw(); });
  for (const [id, react] of [["spread", draw], ["truncation", () => {
    state.truncation = Number($("truncation").value);
    draw(); drawMap();
  }]]) {
    $(id).addEventListener("input", () => {
      $(`${id}-value`).textContent = Number($(id).value).toFixed(2);
      react();
    });
  }
  $("mini").hidden = false;
  $("truncation-row").hidden = !about.truncates;
  $("seed").addEventListener("change", restart);
  $("next-seed").addEventListener("click", () => { $("seed").value = Number($("seed").value) + 1; restart(); });
  $("reset").addEventListener("click", () => go(state.kept, true));
  $("download").addEventListener("click", download);
  startDrawing(about, () => state.y, say, (z, y) => { chooseLabel(y ?? state.y); moveTo(z); });
  await restart();

  function followPad() {
    const pad = $("pad");
    const place = (event) => {
      const box = pad.getBoundingClientRect();
      return [toMap((event.clientX - box.left) / box.width), toMap((event.clientY - box.top) / box.height)];
    };
    pad.addEventListener("pointermove", (event) => go(place(event), event.pointerType !== "mouse" || event.buttons > 0));
    pad.addEventListener("pointerdown", (event) => go(place(event), true));
    pad.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse" && !event.buttons) go(state.kept, false); });
    pad.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (!by) return;
      event.preventDefault();
      go(state.kept.map((x, i) => Math.min(1, Math.max(0, x + 0.05 * by[i]))), true);
    });
  }

  function pickNeighbours() {
    const around = $("around");
    const walk = (column, row) => {
      const all = neighbours(state.z, aroundSide, Number($("spread").value), state.directions);
      moveTo(all[row * aroundSide + column]);
    };
    const half = (aroundSide - 1) / 2;
    around.addEventListener("click", (event) => {
      const box = around.getBoundingClientRect();
      const cell = (x, size) => Math.min(aroundSide - 1, Math.max(0, Math.floor((x / size) * aroundSide)));
      walk(cell(event.clientX - box.left, box.width), cell(event.clientY - box.top, box.height));
    });
    around.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (!by || !half) return;
      event.preventDefault();
      walk(half + by[0], half + by[1]);
    });
  }

  function chooseLabel(y) {
    state.y = y;
    for (const button of $("classes").querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(Number(button.value) === y));
    }
    const list = $("classes").querySelector("select");
    if (list) list.value = String(y);
    drawMap();
  }

  function buildClasses() {
    const place = $("classes");
    place.hidden = !about.labels.length;
    if (about.labels.length > MANY) {
      const list = document.createElement("select");
      list.setAttribute("aria-label", "Label to draw");
      for (const label of about.labels) list.add(new Option(`label ${label}`, label));
      list.addEventListener("change", () => { chooseLabel(Number(list.value)); draw(); });
      place.append(list);
      return;
    }
    place.append(...about.labels.map((label) => choice(label, label === state.y, () => { chooseLabel(label); draw(); })));
  }

  async function download() {
    if (!state.picture) return;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await state.picture.convertToBlob({ type: "image/png" }));
    link.download = `${about.dataset}-${state.y ?? "sample"}.png`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }
}
