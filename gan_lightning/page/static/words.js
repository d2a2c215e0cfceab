// What a panel says of the present step, in a sentence or two, with the numbers before and after.

import { value } from "./recording.js";

const swatch = (kind, words) => `<span><b class="${kind}"></b>${words}</span>`;

const FIELD = swatch("is-real", "D says real") + swatch("is-fake", "D says fake") + swatch("dot-real", "reals") + swatch("dot-fake", "fakes");
const LEGENDS = {
  points: [
    FIELD,
    `${FIELD}<span><b class="sign">+</b><b class="sign">−</b>where D's answer rose, fell</span><span>→ where D now pulls a fake</span>`,
    `${FIELD}<span>○─ where a fake was, and its way</span>`,
  ],
  images: Array(3).fill(swatch("is-real", "how real, of 100, in D's eyes") + "<span>▲ ▼ rose or fell in this step</span>"),
};

export function wordsOf(recording, point, phase) {
  const number = (name, moment, which) => value(recording, name, point, moment, which).toFixed(2);
  const change = (name, which) => `${number(name, phase - 1, which)} → ${number(name, phase, which)}`;
  const seen = recording.seen[point].toLocaleString("en");
  const relative = recording.answers === "relative" ? " Answers are counted from the middle of both." : "";
  const points = recording.kind === "points";
  const went = (name, which, moment) => {
    const [before, after] = [moment - 1, moment].map((m) => number(name, m, which));
    return before === after ? "stays" : Number(after) > Number(before) ? "rises" : "falls";
  };
  const words = [
    () => `After ${seen} images: D's mean answer is ${number("means", 0, 0)} for reals and ${number("means", 0, 1)} for fakes.${relative}`,
    () => `D's step: its mean answer ${went("means", 0, 1)} at reals (${change("means", 0)}) and ${went("means", 1, 1)} at fakes (${change("means", 1)}); the fakes lie still. Loss of D ${change("losses", 0)}.`,
    () => `G's step: D stays as it is, and the ${points ? "fakes move to where it says real" : "fakes change to what it finds more real"}: its mean answer at fakes ${went("means", 1, 2)} (${change("means", 1)}). Loss of G ${change("losses", 1)}.`,
  ][phase]();
  return { words, legend: LEGENDS[recording.kind][phase] };
}
