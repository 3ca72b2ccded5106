// Tuning of an atom to gratings: how strongly one of contrast 1 drives it, as it drifts.

const ORIENTATIONS = 36;
const FREQUENCIES = [0.04, 0.06, 0.09, 0.13, 0.18, 0.26, 0.37]; // cycles per pixel

/** |Σ φ(x) exp(2πi f·u)|, u across the bars: at 0° they are vertical, and angles are counter-clockwise. */
function drive(atom, { height, width }, degrees, frequency) {
  const angle = (Math.PI * degrees) / 180;
  const [right, up] = [Math.cos(angle), Math.sin(angle)].map((part) => 2 * Math.PI * frequency * part);
  let [re, im] = [0, 0];
  for (let row = 0, i = 0; row < height; row++) {
    for (let column = 0; column < width; column++, i++) {
      const phase = right * column - up * row;
      re += atom[i] * Math.cos(phase);
      im += atom[i] * Math.sin(phase);
    }
  }
  return Math.hypot(re, im);
}

/** The drive over orientation, from 0° to 180°, at the frequency of the strongest one; colours are averaged. */
export function tuning(atom, shape) {
  const { channels, height, width } = shape;
  const pixels = height * width;
  const grey = Float64Array.from({ length: pixels }, (_, i) => {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += atom[c * pixels + i];
    return sum / channels;
  });
  const angles = Array.from({ length: ORIENTATIONS + 1 }, (_, i) => (180 * i) / ORIENTATIONS);
  let found = { frequency: FREQUENCIES[0], preferred: 0, curve: [], most: -1 };
  for (const frequency of FREQUENCIES) {
    const curve = angles.map((degrees) => drive(grey, shape, degrees, frequency));
    const most = Math.max(...curve);
    if (most > found.most) found = { frequency, preferred: angles[curve.indexOf(most)] % 180, curve, most };
  }
  return found;
}
