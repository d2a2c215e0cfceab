// Latents: paths between them, neighbours, and a small random generator for directions.

const dot = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);
export const norm = (a) => Math.sqrt(dot(a, a));
const mix = (a, b, s, t) => a.map((x, i) => s * x + t * b[i]);

// Spherical interpolation of directions, linear of lengths: what lies between two draws of
// N(0, I) is as long as they are. Source: White 2016, Sampling Generative Networks, section 2.1.
export function slerp(a, b, t) {
  const la = norm(a), lb = norm(b);
  if (la * lb < 1e-9) return mix(a, b, 1 - t, t);
  const cosine = Math.min(1, Math.max(-1, dot(a, b) / (la * lb)));
  const angle = Math.acos(cosine);
  if (angle < 1e-4 || Math.PI - angle < 1e-4) return mix(a, b, 1 - t, t);
  const length = (1 - t) * la + t * lb;
  const s = Math.sin(angle);
  return mix(a, b, (length * Math.sin((1 - t) * angle)) / (s * la), (length * Math.sin(t * angle)) / (s * lb));
}

// Corners: upper left, upper right, lower left, lower right; u to the right and v down, 0 to 1.
export const bilinear = (corners, u, v) =>
  slerp(slerp(corners[0], corners[1], u), slerp(corners[2], corners[3], u), v);

function random(seed) {
  let state = (seed ^ 0x9e3779b9) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), 1 | state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 4294967296;
  };
}

// Two directions of length 1 at a right angle, by seed.
export function directions(length, seed) {
  const uniform = random(seed);
  const draw = () => Array.from({ length }, () =>
    Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()));
  const unit = (a) => { const n = norm(a) || 1; return a.map((x) => x / n); };
  const first = unit(draw());
  const second = draw();
  return [first, unit(mix(second, first, 1, -dot(second, first)))];
}

// side x side latents around z, row by row; the middle one is z itself.
export function neighbours(z, side, spread, [first, second]) {
  const half = (side - 1) / 2, length = norm(z), found = [];
  const step = spread * Math.sqrt(z.length) / 4;
  for (let row = -half; row <= half; row++) {
    for (let column = -half; column <= half; column++) {
      if (!row && !column) { found.push(z); continue; }
      const moved = z.map((x, i) => x + step * (column * first[i] + row * second[i]));
      const scale = length / (norm(moved) || 1);
      found.push(length > 1e-6 ? moved.map((x) => x * scale) : moved);
    }
  }
  return found;
}

// z with category `chosen` the largest of its first `count` numbers: InfoGAN's choice.
export function withCategory(z, count, chosen) {
  const changed = [...z], now = category(z, count);
  [changed[now], changed[chosen]] = [changed[chosen], changed[now]];
  return changed;
}
export const category = (z, count) => z.slice(0, count).reduce((best, x, i) => (x > z[best] ? i : best), 0);
