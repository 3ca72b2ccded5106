// Films: a video, an array of frames, the frames of a GIF, or several images one after the other.

const MOST = 1000; // frames that are kept

/** Files as a film `{ next, close }`, where next() is `{ image, width, height }`; null if they are one picture. */
export async function film(files) {
  const [first] = files;
  if (files.length === 1) {
    if (first.name.endsWith(".npy")) return ofFrames(await array(first));
    if (first.type.startsWith("video/")) return ofVideo(first);
    if (first.type === "image/gif" && window.ImageDecoder) return ofFrames(await animation(first));
    return null;
  }
  const inOrder = [...files].sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
  return ofFrames(await Promise.all(inOrder.slice(0, MOST).map((file) => createImageBitmap(file))));
}

/** Frames again and again. */
function ofFrames(frames) {
  if (frames.length === 1) frames.push(frames[0]);
  let at = -1;
  return {
    next() {
      at = (at + 1) % frames.length;
      const image = frames[at];
      return { image, width: image.width, height: image.height };
    },
    close: () => frames.forEach((frame) => frame.close?.()),
  };
}

async function ofVideo(file) {
  const video = document.createElement("video");
  const address = URL.createObjectURL(file);
  Object.assign(video, { src: address, muted: true, loop: true });
  const close = () => {
    video.pause();
    URL.revokeObjectURL(address);
  };
  try {
    await video.play();
  } catch (error) {
    close();
    throw error;
  }
  return { next: () => ({ image: video, width: video.videoWidth, height: video.videoHeight }), close };
}

async function animation(file) {
  const decoder = new ImageDecoder({ data: await file.arrayBuffer(), type: file.type });
  await decoder.tracks.ready;
  const count = Math.min(decoder.tracks.selectedTrack.frameCount, MOST);
  const frames = [];
  for (let frameIndex = 0; frameIndex < count; frameIndex++) {
    const { image } = await decoder.decode({ frameIndex });
    frames.push(await createImageBitmap(image));
    image.close();
  }
  decoder.close();
  return frames;
}

const READERS = {
  "|u1": (view, at) => view.getUint8(at),
  "|b1": (view, at) => 255 * view.getUint8(at),
  "<f4": (view, at) => view.getFloat32(at, true),
  "<f8": (view, at) => view.getFloat64(at, true),
};

/** The frames of an npy file `[time, height, width]` or `[time, height, width, 3]`: bytes as they are, others from least to most. */
async function array(file) {
  const bytes = await file.arrayBuffer();
  const view = new DataView(bytes);
  const wide = bytes.byteLength > 12 && view.getUint8(6) > 1;
  const [start, length] = wide ? [12, view.getUint32(8, true)] : [10, view.getUint16(8, true)];
  const header = new TextDecoder().decode(bytes.slice(start, start + length));
  const [, descr] = /'descr':\s*'([^']*)'/.exec(header) ?? [];
  const shape = (/'shape':\s*\(([^)]*)\)/.exec(header)?.[1] ?? "").split(",").filter((part) => part.trim()).map(Number);
  const read = READERS[descr];
  const [count, height, width, channels = 1] = shape;
  const fits = shape.length === 3 || (shape.length === 4 && channels === 3);
  if (!read || /'fortran_order':\s*True/.test(header) || !fits) {
    throw new Error(`${file.name}: a film is an array of bytes, f4 or f8, [time, height, width] or [time, height, width, 3], in C order`);
  }
  const size = descr === "<f8" ? 8 : descr === "<f4" ? 4 : 1;
  const each = height * width * channels;
  const shown = Math.min(count, MOST);
  if (start + length + size * each * count > bytes.byteLength) throw new Error(`${file.name} is shorter than its header says`);
  const values = Float64Array.from({ length: shown * each }, (_, i) => read(view, start + length + size * i));
  let [low, high] = [0, 255];
  if (size > 1) {
    [low, high] = [Infinity, -Infinity];
    for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)];
  }
  const gain = 255 / (high - low || 1);
  const frames = [];
  for (let t = 0; t < shown; t++) {
    const image = new ImageData(width, height);
    for (let i = 0; i < height * width; i++) {
      for (let c = 0; c < 3; c++) {
        const value = values[t * each + i * channels + (channels === 3 ? c : 0)];
        image.data[4 * i + c] = (value - low) * gain;
      }
      image.data[4 * i + 3] = 255;
    }
    frames.push(await createImageBitmap(image));
  }
  return frames;
}
