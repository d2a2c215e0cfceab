// A recording as the server sends it, unpacked into typed arrays.

import { get } from "./server.js";

const KINDS = { u1: Uint8Array, i1: Int8Array, i2: Int16Array, i8: BigInt64Array, f4: Float32Array };
export const UNIT = 16384;  // int16 steps of a place, as in export/lab_file.py

function unpack({ type, shape, data }) {
  const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
  const values = new KINDS[type](bytes.buffer);
  return { values, shape, at: (point) => { const n = values.length / shape[0]; return values.subarray(point * n, (point + 1) * n); } };
}

export async function openRecording(id) {
  const { about, arrays } = await get(`/api/lab/${id}`);
  const found = Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, unpack(array)]));
  const seen = Array.from(found.seen.values, Number);
  return { ...about, arrays: found, seen, count: seen.length, pictures: new Map() };
}

// Of [point, moment, which]: losses and mean answers of D and G, or of reals and fakes.
export const value = (recording, name, point, moment, which) =>
  recording.arrays[name].values[(point * 3 + moment) * 2 + which];

// The values of a point that were written as int8 with a scale.
export function scaled(recording, name, point) {
  const factor = recording.arrays[`${name}_scale`].values[point] / 127;
  return Float32Array.from(recording.arrays[name].at(point), (x) => x * factor);
}
