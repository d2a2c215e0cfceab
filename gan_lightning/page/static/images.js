// Grids of images with D's answer below each, before and after the step.

const BORDER = 2;  // pixels between the images of a grid, as in pixels.py

// The picture of a point (0: the reals), decoded once.
function picture(recording, index, again) {
  const known = recording.pictures.get(index);
  if (known) return known === "waiting" ? null : known;
  recording.pictures.set(index, "waiting");
  const ends = recording.arrays.ends.values, first = index ? Number(ends[index - 1]) : 0;
  const bytes = recording.arrays.pictures.values.slice(first, Number(ends[index]));
  createImageBitmap(new Blob([bytes], { type: "image/webp" })).then((bitmap) => {
    recording.pictures.set(index, bitmap);
    again();
  });
  return null;
}

export function drawImages(view, recording, point, phase, share) {
  const again = () => drawImages(view, recording, point, phase, share);
  view.drawn = again;  // a late picture must not be drawn over a newer point
  const late = () => { if (view.drawn === again) again(); };
  const context = view.getContext("2d"), columns = recording.columns, count = recording.fakes;
  const cell = view.width / columns, side = cell - 6, bar = 20, head = 22;
  const answers = recording.arrays.answers.at(point), total = recording.arrays.answers.shape[2];
  const realRows = Math.ceil((total - count) / columns), fakeRows = Math.ceil(count / columns);
  view.height = Math.ceil(2 * head + (realRows + fakeRows) * (side + bar + 4));
  context.fillStyle = "#f4f4f1";
  context.fillRect(0, 0, view.width, view.height);
  const next = picture(recording, Math.min(recording.count, point + 2), late);  // decoded ahead
  void next;
  const sets = [
    ["reals, and D's answer to each", picture(recording, 0, late), count, total - count],
    ["fakes of the same latents, and D's answer to each", picture(recording, point + 1, late), 0, count],
  ];
  let top = 0;
  for (const [title, bitmap, offset, number] of sets) {
    context.fillStyle = "#333";
    context.font = "15px system-ui, sans-serif";
    context.textAlign = "left";
    context.textBaseline = "middle";
    context.fillText(title, 4, top + head / 2);
    top += head;
    for (let i = 0; i < number; i++) {
      const x = (i % columns) * cell + 3, y = top + Math.floor(i / columns) * (side + bar + 4);
      const step = recording.side + BORDER;
      if (bitmap) {
        context.drawImage(bitmap, BORDER + (i % columns) * step, BORDER + Math.floor(i / columns) * step,
          recording.side, recording.side, x, y, side, side);
      }
      const before = answers[Math.max(0, phase - 1) * total + offset + i] / 255;
      const after = answers[phase * total + offset + i] / 255;
      answer(context, x, y + side + 2, side, bar - 4, before + share * (after - before), phase ? after - before : 0);
    }
    top += Math.ceil(number / columns) * (side + bar + 4);
  }
}

// A bar as long as D is sure of "real", blue from the left; red is what is missing to it.
function answer(context, x, y, width, height, now, moved) {
  context.fillStyle = "#e3a0a8";
  context.fillRect(x, y, width, height);
  context.fillStyle = "#2a6db5";
  context.fillRect(x, y, width * now, height);
  context.fillStyle = "#111";
  context.font = "700 13px system-ui, sans-serif";
  context.textAlign = "center";
  context.textBaseline = "middle";
  const sign = moved > 0.004 ? "▲" : moved < -0.004 ? "▼" : "";
  context.lineWidth = 3;
  context.strokeStyle = "#fff";
  const words = `${sign}${Math.round(100 * now)}`;
  context.strokeText(words, x + width / 2, y + height / 2 + 1);
  context.fillText(words, x + width / 2, y + height / 2 + 1);
}
