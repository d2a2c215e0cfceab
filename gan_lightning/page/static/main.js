// The tabs, and which of the two parts there is something for.

import { get } from "./server.js";
import { startPlay } from "./play.js";
import { startLab } from "./lab.js";

const $ = (id) => document.getElementById(id);
const NAMES = ["play", "lab"];

export function say(words) { $("status").textContent = words; }

function show(name, focus = false) {
  for (const one of NAMES) {
    const chosen = one === name, tab = $(`tab-${one}`);
    $(one).hidden = !chosen;
    tab.setAttribute("aria-selected", String(chosen));
    tab.tabIndex = chosen ? 0 : -1;
    if (chosen && focus) tab.focus();
  }
  history.replaceState(null, "", `#${name}`);
  window.dispatchEvent(new CustomEvent("tab", { detail: name }));
}

for (const name of NAMES) {
  $(`tab-${name}`).addEventListener("click", () => show(name));
  $(`tab-${name}`).addEventListener("keydown", (event) => {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    event.preventDefault();
    event.stopPropagation();
    show(NAMES[1 - NAMES.indexOf(name)], true);
  });
}

try {
  const about = await get("/api/about");
  const generator = about.generator;
  if (generator) {
    $("source").textContent = `${generator.network} of ${generator.dataset}, ${generator.standing}${generator.onnx ? ", drawn by onnxruntime" : ""}`;
    $("source").title = generator.file;
    $("studio").hidden = false;
    await startPlay(generator, say);
  } else {
    $("refusal").textContent = about.refusal;
    $("refusal").hidden = false;
  }
  await startLab(say);
  const asked = location.hash.slice(1);
  show(NAMES.includes(asked) ? asked : generator ? "play" : "lab");
  document.body.dataset.ready = "true";
} catch (error) {
  say(error.message);
}
