// Messages of numbers: 32-bit words, little-endian (cli/src/live/network/frame.rs).

/** What a message of numbers says: a frame, the atoms, or null. */
export function decode(buffer) {
  const head = new Uint32Array(buffer, 0, 8);
  let at = head[0] === 1 ? 32 : 16;
  const floats = (count) => {
    const part = new Float32Array(buffer, at, count);
    at += 4 * count;
    return part;
  };
  if (head[0] === 2) {
    const [, serial, latents, pixels] = head;
    return { kind: "atoms", serial, latents, pixels, atoms: floats(latents * pixels) };
  }
  if (head[0] !== 1) return null;
  const [, serial, step, steps, count, pixels, latents, width] = head;
  const rows = floats(steps * width);
  const frame = {
    kind: "frame", serial, step, steps, rows, width,
    input: floats(pixels), bySpikes: floats(pixels), byRates: floats(pixels), potential: floats(latents),
  };
  frame.spikes = new Uint32Array(buffer, at, count);
  return frame;
}

/** Neuron, step within the frame, and count of a spike. */
export const neuronOf = (word) => word & 0xffff;
export const stepOf = (word) => (word >>> 16) & 0x3ff;
export const countOf = (word) => word >>> 26;
