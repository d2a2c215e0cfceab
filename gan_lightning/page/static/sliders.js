// A slider for each number of z, and a button for each category of a generator with codes.

import { category, withCategory } from "./latent.js";

const $ = (id) => document.getElementById(id);
const FIRST = 10;  // sliders shown at first

export function choice(value, pressed, act) {
  const button = document.createElement("button");
  button.type = "button";
  button.value = button.textContent = value;
  button.setAttribute("aria-pressed", String(pressed));
  button.addEventListener("click", act);
  return button;
}

// Return what shows a latent; `changed` is called with the one that a slider or button makes.
export function makeSliders(about, latent, changed) {
  const { categories, continuous, latentDim } = about, sliders = [];
  const first = categories > 1 ? categories : 0;  // those have buttons

  function nameOf(i) {
    const code = i - categories;
    return i < categories ? `category ${i}` : code < continuous ? `code ${code + 1}` : `z${i + 1}`;
  }

  function showCategory(z) {
    const now = categories ? category(z, categories) : -1;
    for (const [i, button] of [...$("categories").children].entries()) {
      button.setAttribute("aria-pressed", String(i === now));
    }
  }

  function show(z) {
    for (const [i, slider] of sliders.entries()) slider(z[i]);
    showCategory(z);
  }

  $("categories").hidden = !first;
  for (let i = 0; i < first; i++) {
    $("categories").append(choice(i, false, () => {
      const z = withCategory(latent(), categories, i);
      show(z);
      changed(z);
    }));
  }
  for (let i = 0; i < latentDim; i++) {
    const row = document.createElement("div"), label = document.createElement("label");
    const input = document.createElement("input"), output = document.createElement("output");
    row.className = "slider";
    row.hidden = i < first || i >= first + FIRST;
    Object.assign(input, { type: "range", min: -3.5, max: 3.5, step: 0.05, id: `z${i}` });
    label.htmlFor = input.id;
    label.textContent = nameOf(i);
    input.addEventListener("input", () => {
      const z = [...latent()];
      z[i] = Number(input.value);
      output.textContent = z[i].toFixed(2);
      showCategory(z);
      changed(z);
    });
    row.append(label, input, output);
    $("sliders").append(row);
    sliders.push((x) => { input.value = x; output.textContent = x.toFixed(2); });
  }
  const more = $("more"), rows = [...$("sliders").children];
  more.hidden = latentDim <= first + FIRST;
  const words = (open) => { more.textContent = open ? `Only the first ${FIRST}` : `All ${latentDim}`; };
  words(false);
  more.addEventListener("click", () => {
    const open = more.getAttribute("aria-expanded") !== "true";
    more.setAttribute("aria-expanded", String(open));
    rows.forEach((row, i) => { row.hidden = !open && (i < first || i >= first + FIRST); });
    words(open);
  });
  return show;
}
