"use strict";
// Draws the charts and plays the pictures, of the JSON in the element `data`. No network, no library.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const HEIGHT = 190, LEFT = 52, RIGHT = 10, TOP = 8, BOTTOM = 22;

  const make = (name, attributes = {}, text = "") => {
    const svg = ["svg", "path", "line", "text", "circle", "g"].includes(name);
    const made = svg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.textContent = text;
    return made;
  };
  const value = (y, digits = 4) => {
    const size = Math.abs(y);
    if (y !== 0 && (size < 1e-4 || size >= 1e6)) return y.toExponential(2);
    return String(Number(y.toPrecision(digits)));
  };
  const images = (x) => x.toLocaleString("en");
  const short = (x) => x >= 1e6 ? `${Number((x / 1e6).toFixed(2))}M` : x >= 1e3 ? `${Number((x / 1e3).toFixed(1))}k` : String(x);

  const ticks = (low, high, most) => {
    const rough = (high - low) / most, power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough * 0.7);
    const found = [];
    for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) found.push(Number((i * step).toPrecision(12)));
    return found;
  };
  const decades = (low, high) => {
    for (const marks of [[1], [1, 3], [1, 2, 5]]) {
      const found = [];
      for (let k = Math.floor(Math.log10(low)); k <= Math.log10(high); k++) {
        for (const m of marks) if (m * 10 ** k >= low && m * 10 ** k <= high) found.push(Number((m * 10 ** k).toPrecision(6)));
      }
      if (found.length > 1 && found.length < 7) return found;
    }
    return ticks(low, high, 4);
  };

  class Chart {
    constructor(panel, index) {
      this.panel = panel;
      const ys = panel.series.flatMap((s) => s.floor === null ? s.y : [...s.y, s.floor]);
      const xs = panel.series.flatMap((s) => s.x);
      this.x = [...new Set(xs)].sort((a, b) => a - b); // where the cursor may stand
      this.low = ys.reduce((a, b) => Math.min(a, b));
      this.high = ys.reduce((a, b) => Math.max(a, b));
      this.log = panel.log && this.low > 0 && this.high > 8 * this.low;
      this.at = null;
      this.root = make("figure", {class: "chart"});
      const top = make("div", {class: "top"}), title = make("div");
      title.append(make("strong", {}, panel.title), make("span", {}, panel.note));
      top.append(title);
      if (this.low > 0 && this.high > 8 * this.low) {
        const button = make("button", {type: "button", "aria-pressed": this.log, title: "logarithmic axis"}, "log");
        button.addEventListener("click", () => {
          this.log = !this.log;
          button.setAttribute("aria-pressed", this.log);
          this.draw();
        });
        top.append(button);
      }
      this.read = make("div", {class: "read"});
      this.svg = make("svg", {tabindex: "0", role: "img", id: `chart-${index}`, "aria-label": `${panel.title} over images seen`});
      this.root.append(top, this.svg, this.read);
      this.svg.addEventListener("pointermove", (event) => this.point(event));
      this.svg.addEventListener("pointerdown", (event) => this.point(event));
      this.svg.addEventListener("pointerleave", () => this.move(null));
      this.svg.addEventListener("blur", () => this.move(null));
      this.svg.addEventListener("keydown", (event) => this.key(event));
    }
    point(event) {
      const x = this.from(event.clientX - this.svg.getBoundingClientRect().left);
      let best = 0;
      this.x.forEach((other, i) => { if (Math.abs(other - x) < Math.abs(this.x[best] - x)) best = i; });
      this.move(best);
    }
    key(event) {
      const last = this.x.length - 1, now = this.at === null ? last : this.at;
      const to = {ArrowLeft: this.at === null ? last : now - 1, ArrowRight: this.at === null ? 0 : now + 1, Home: 0, End: last, Escape: null}[event.key];
      if (to === undefined) return;
      event.preventDefault();
      this.move(to === null ? null : Math.max(0, Math.min(last, to)));
    }
    draw() {
      const width = this.svg.clientWidth || 340;
      this.svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
      const scale = this.log ? Math.log10 : (y) => y;
      let low = scale(this.low), high = scale(this.high);
      const pad = (high - low) * 0.05 || Math.abs(high) * 0.1 || 1;
      [low, high] = [low - pad, high + pad];
      const first = this.x[0], last = this.x[this.x.length - 1], span = last - first || 1;
      this.to = (x) => LEFT + (last > first ? (x - first) / span : 0.5) * (width - LEFT - RIGHT);
      this.from = (place) => first + (place - LEFT) / (width - LEFT - RIGHT) * span;
      this.up = (y) => TOP + (high - scale(y)) / (high - low) * (HEIGHT - TOP - BOTTOM);
      const parts = [], marks = this.log ? decades(10 ** low, 10 ** high) : ticks(low, high, 4);
      let digits = 3; // as many as tell the marks apart
      while (digits < 8 && new Set(marks.map((y) => value(y, digits))).size < marks.length) digits++;
      for (const y of marks) {
        parts.push(make("line", {class: "grid", x1: LEFT, x2: width - RIGHT, y1: this.up(y), y2: this.up(y)}));
        parts.push(make("text", {x: LEFT - 6, y: this.up(y) + 4, "text-anchor": "end"}, value(y, digits)));
      }
      const along = last > first ? ticks(first, last, Math.max(2, Math.floor(width / 70))) : [first];
      for (const x of along) {
        const near = this.to(x) > width - RIGHT - 14;
        parts.push(make("text", {x: near ? width - RIGHT : this.to(x), y: HEIGHT - 6, "text-anchor": near ? "end" : "middle"}, short(x)));
      }
      this.panel.series.forEach((series, i) => {
        const stroke = `stroke: var(--c${i % 8})`;
        const path = series.x.map((x, k) => `${k ? "L" : "M"}${this.to(x).toFixed(1)} ${this.up(series.y[k]).toFixed(1)}`).join("");
        if (series.floor !== null) {
          const y = this.up(series.floor);
          parts.push(make("line", {class: "floor", style: stroke, x1: LEFT, x2: width - RIGHT, y1: y, y2: y}));
        }
        parts.push(make("path", {class: "curve", style: stroke, d: path}));
        if (series.x.length < 40) series.x.forEach((x, k) => parts.push(make("circle", {cx: this.to(x), cy: this.up(series.y[k]), r: 2.2, style: `fill: var(--c${i % 8})`})));
      });
      this.cursor = make("g");
      this.svg.replaceChildren(...parts, this.cursor);
      this.move(this.at);
    }
    move(at) {
      this.at = at;
      const parts = [], words = [];
      const x = at === null ? null : this.x[at];
      if (x !== null) {
        parts.push(make("line", {class: "cursor", x1: this.to(x), x2: this.to(x), y1: TOP, y2: HEIGHT - BOTTOM}));
        words.push(make("span", {}, `at ${images(x)}`));
      }
      this.panel.series.forEach((series, i) => {
        let k = series.x.length - 1; // without a cursor: the last value
        if (x !== null) series.x.forEach((other, j) => { if (Math.abs(other - x) < Math.abs(series.x[k] - x)) k = j; });
        const item = make("span"), floor = series.floor === null ? "" : ` (floor ${value(series.floor)})`;
        item.append(make("i", {style: `background: var(--c${i % 8})`}), `${series.name} ${value(series.y[k])}${floor}`);
        words.push(item);
        if (x !== null) parts.push(make("circle", {cx: this.to(series.x[k]), cy: this.up(series.y[k]), r: 3.5, style: `fill: var(--c${i % 8})`}));
      });
      this.cursor.replaceChildren(...parts);
      this.read.replaceChildren(...words);
    }
  }

  const place = document.getElementById("charts");
  if (place) {
    const charts = data.panels.map((panel, i) => new Chart(panel, i));
    place.append(...charts.map((chart) => chart.root));
    const draw = () => charts.forEach((chart) => chart.draw());
    draw();
    let width = place.clientWidth;
    new ResizeObserver(() => {
      if (place.clientWidth === width) return;
      width = place.clientWidth;
      draw();
    }).observe(place);
  }

  for (const player of document.querySelectorAll(".player")) {
    const slider = player.querySelector("input"), button = player.querySelector("button");
    if (!slider) continue;
    const name = player.dataset.strip, frames = data.strips[name];
    const image = player.querySelector("img"), label = player.querySelector("output");
    let timer = 0;
    const show = () => {
      const [words, address] = frames[Number(slider.value)];
      image.src = address;
      image.alt = `${name}, ${words}`;
      label.textContent = words;
      slider.setAttribute("aria-valuetext", words);
    };
    const stop = () => {
      clearInterval(timer);
      timer = 0;
      button.textContent = "Play";
    };
    const play = () => {
      const last = frames.length - 1;
      if (Number(slider.value) === last) slider.value = 0;
      show();
      button.textContent = "Pause";
      timer = setInterval(() => {
        slider.value = Number(slider.value) + 1;
        show();
        if (Number(slider.value) === last) stop();
      }, Math.max(80, Math.min(600, 8000 / frames.length)));
    };
    button.addEventListener("click", () => timer ? stop() : play());
    slider.addEventListener("input", () => {
      if (timer) stop();
      show();
    });
    show();
  }
})();
