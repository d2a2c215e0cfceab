// The lab: two recordings side by side, played, stepped, or moved by hand.

import { get } from "./server.js";
import { openRecording } from "./recording.js";
import { drawPoints } from "./points.js";
import { drawImages } from "./images.js";
import { drawCurves } from "./curves.js";
import { wordsOf } from "./words.js";

const $ = (id) => document.getElementById(id);
const PHASES = 3;  // as it is, after D's step, after G's
const GLIDE = 450;  // milliseconds of a move
const calm = matchMedia("(prefers-reduced-motion: reduce)");

export async function startLab(say) {
  const { recordings } = await get("/api/lab");
  const state = { point: 0, phase: 0, playing: false, timer: 0, began: 0, frame: 0 };
  const panels = [];
  if (!recordings.length) {
    $("panels").textContent = "There are no recordings: python train.py callbacks=lab makes one.";
    return;
  }
  const [first, ...others] = recordings;
  const second = others.find((one) => one.data === first.data) ?? others[0];
  const chosen = second ? [first, second] : [first];
  for (const i of chosen.keys()) panels.push(makePanel(i));
  await Promise.all(panels.map((panel, i) => choose(panel, chosen[i].id)));

  function makePanel(index) {
    const node = document.createElement("section");
    node.className = "card panel";
    node.setAttribute("aria-label", `Recording ${index + 1}`);
    node.innerHTML = `
      <select aria-label="Recording ${index + 1}"></select>
      <div class="badges"><span class="badge d"></span><span class="badge g"></span></div>
      <canvas class="view" width="560" height="560" role="img"></canvas>
      <p class="legend"></p>
      <p class="words" aria-live="polite"></p>
      <canvas class="curves" width="560" height="150" role="img" aria-label="Losses of D and G over images seen"></canvas>`;
    const list = node.querySelector("select");
    for (const one of recordings) list.add(new Option(`${one.data}: ${one.title}`, one.id));
    const panel = { node, list, recording: null };
    list.addEventListener("change", () => choose(panel, Number(list.value)));
    $("panels").append(node);
    return panel;
  }

  async function choose(panel, id) {
    panel.list.value = String(id);
    try {
      panel.recording = await openRecording(id);
      $("when").max = panels[0].recording ? panels[0].recording.count - 1 : 59;
      state.point = Math.min(state.point, Number($("when").max));
      show();
    } catch (error) { say(error.message); }
  }

  // The point of a panel that is nearest to that of the first one, in images seen.
  function pointOf(panel) {
    if (panel === panels[0]) return state.point;
    const seen = panels[0].recording.seen[state.point], all = panel.recording.seen;
    let best = 0;
    for (let i = 1; i < all.length; i++) if (Math.abs(all[i] - seen) < Math.abs(all[best] - seen)) best = i;
    return best;
  }

  function show(glide = false) {
    cancelAnimationFrame(state.frame);
    if (!panels[0].recording) return;
    $("when").value = state.point;
    const seen = panels[0].recording.seen[state.point].toLocaleString("en");
    $("seen").textContent = seen;
    $("when").setAttribute("aria-valuetext", `${seen} images seen`);
    for (let i = 0; i < PHASES; i++) {
      if (i === state.phase) $(`phase-${i}`).setAttribute("aria-current", "step");
      else $(`phase-${i}`).removeAttribute("aria-current");
    }
    for (const panel of panels) if (panel.recording) label(panel);
    state.began = performance.now();
    animate(glide && !calm.matches ? Math.min(GLIDE, Number($("speed").value) * 0.6) : 0);
  }

  function animate(length) {
    const share = length ? Math.min(1, (performance.now() - state.began) / length) : 1;
    for (const panel of panels) if (panel.recording) drawView(panel, share);
    if (share < 1) state.frame = requestAnimationFrame(() => animate(length));
  }

  function drawView(panel, share) {
    const view = panel.node.querySelector(".view"), draw = panel.recording.kind === "points" ? drawPoints : drawImages;
    draw(view, panel.recording, pointOf(panel), state.phase, share * (2 - share));
  }

  function label(panel) {
    const { recording, node } = panel, point = pointOf(panel);
    const says = wordsOf(recording, point, state.phase);
    node.querySelector(".words").textContent = says.words;
    node.querySelector(".legend").innerHTML = says.legend;
    node.querySelector(".view").setAttribute("aria-label", says.words);
    for (const [name, phase] of [["d", 1], ["g", 2]]) {
      const badge = node.querySelector(`.badge.${name}`), moves = state.phase === phase;
      badge.classList.toggle("moves", moves);
      badge.textContent = `${name.toUpperCase()} ${state.phase === 0 ? "" : moves ? "moves" : "is frozen"}`.trim();
    }
    drawCurves(node.querySelector(".curves"), recording, point, state.phase);
  }

  function step(by) {
    const last = panels[0].recording.count - 1;
    const at = state.point * PHASES + state.phase + by;
    if (at < 0 || at > last * PHASES + PHASES - 1) return false;
    [state.point, state.phase] = [Math.floor(at / PHASES), at % PHASES];
    show(by > 0 && state.phase > 0);
    return true;
  }

  function jump(by) {
    state.point = Math.max(0, Math.min(Number($("when").max), state.point + by));
    show();
  }

  function play(on) {
    clearTimeout(state.timer);
    state.playing = on;
    $("run").setAttribute("aria-pressed", String(on));
    for (const { node } of panels) node.querySelector(".words").ariaLive = on ? "off" : "polite";
    $("run").textContent = on ? "❚❚ Pause" : "▶ Play";
    if (on && state.point === Number($("when").max) && state.phase === PHASES - 1) {
      [state.point, state.phase] = [0, 0];
      show();
    }
    if (on) state.timer = setTimeout(tick, 200);
  }

  // While it plays, each point shows D's step and then G's; "as it is" is where G's step ended.
  function tick() {
    if (!state.playing || !step(state.phase === PHASES - 1 ? 2 : 1)) { play(false); return; }
    state.timer = setTimeout(tick, Number($("speed").value));
  }

  $("run").addEventListener("click", () => play(!state.playing));
  $("step").addEventListener("click", () => { play(false); step(1); });
  $("back").addEventListener("click", () => { play(false); step(-1); });
  for (let i = 0; i < PHASES; i++) {
    $(`phase-${i}`).addEventListener("click", () => { play(false); state.phase = i; show(i > 0); });
  }
  $("when").addEventListener("input", () => { state.point = Number($("when").value); show(); });
  window.addEventListener("tab", (event) => { if (event.detail !== "lab") play(false); else show(); });
  document.addEventListener("keydown", (event) => {
    if ($("lab").hidden || event.ctrlKey || event.metaKey || event.altKey) return;
    const tag = event.target.tagName, act = {
      ArrowRight: () => { play(false); step(1); }, ArrowLeft: () => { play(false); step(-1); },
      ArrowUp: () => jump(1), ArrowDown: () => jump(-1), " ": () => play(!state.playing),
    }[event.key];
    if (!act || tag === "SELECT" || event.target.getAttribute("role") === "tab" || (tag === "BUTTON" && event.key === " ")) return;
    event.preventDefault();
    act();
  });
}
