// As much of the protocol buffers' wire format as writing an ONNX model takes.
// A message is an array of chunks; https://protobuf.dev/programming-guides/encoding/

function varint(value) {
  const bytes = [];
  for (let rest = BigInt.asUintN(64, BigInt(value)); ; rest >>= 7n) {
    const low = Number(rest & 127n);
    if (rest < 128n) return Buffer.from([...bytes, low]);
    bytes.push(low | 128);
  }
}

/** A whole number. */
export const int = (field, value) => [varint(field << 3), varint(value)];

/** A single-precision number. */
export function float(field, value) {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return [varint((field << 3) | 5), bytes];
}

/** Bytes, a text, or a message given as its chunks. */
export function bytes(field, content) {
  const chunks = typeof content === "string" ? [Buffer.from(content)] : Array.isArray(content) ? content.flat(Infinity) : [content];
  const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  return [varint((field << 3) | 2), varint(length), ...chunks];
}
