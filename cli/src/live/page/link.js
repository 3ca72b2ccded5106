// The WebSocket: commands out, messages in; opens again where it was lost.

const listeners = new Map();
let socket = null;
let patience = 500;

/** Calls `take` with every message of a kind; "bytes" are those that are no JSON. */
export function on(kind, take) {
  const all = listeners.get(kind) ?? [];
  all.push(take);
  listeners.set(kind, all);
}

function emit(kind, value) {
  for (const take of listeners.get(kind) ?? []) take(value);
}

/** Sends a command to the network or to the filter. */
export function send(to, command) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ to, command }));
}

/** Sends bytes; none while many wait, so that old pictures do not queue up. */
export function sendBytes(bytes, always = false) {
  if (socket?.readyState === WebSocket.OPEN && (always || socket.bufferedAmount < 1 << 18)) {
    socket.send(bytes);
    return true;
  }
  return false;
}

/** Opens the connection, and again whenever it ends. */
export function open() {
  const url = new URL("socket", location.href);
  url.protocol = url.protocol.replace("http", "ws");
  url.search = "";
  socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  socket.addEventListener("open", () => {
    patience = 500;
    emit("connection", "open");
  });
  socket.addEventListener("message", ({ data }) => {
    if (typeof data === "string") {
      const message = JSON.parse(data);
      // Rows carry lines of the program, whose very digits are wanted.
      emit(message.kind, message);
      emit(`${message.kind} text`, data);
    } else {
      emit("bytes", data);
    }
  });
  socket.addEventListener("close", () => {
    emit("connection", "closed");
    setTimeout(open, patience);
    patience = Math.min(2 * patience, 8000);
  });
}
