// What one thread of WebAssembly can do on this machine, in loops that do nothing else: multiplications and additions
// a second, and bytes a second that are read from tables of several sizes. No engine can take less time than these.
import binaryen from "binaryen";

const ROWS = { "12,000 items": 12_000, "100,000 items": 100_000, "1,000,000 items": 1_000_000 };
/** Bytes of a row of the benchmark's catalogues: 64 values and a scale. */
const ROW = 68;
const [ACCUMULATORS, REPEATS] = [8, 100];

const all = (write) => Array.from({ length: ACCUMULATORS }, (_, at) => write(at)).join("\n");
const locals = all((at) => `(local $a${at} v128)`);
const folded = (operation) => Array.from({ length: ACCUMULATORS }, (_, at) => `(local.get $a${at})`).reduce((sum, one) => `(${operation} ${sum} ${one})`);
const TEXT = `(module
  (memory (export "memory") ${Math.ceil((ROWS["1,000,000 items"] * ROW) / 65_536) + 1})
  (func (export "multiply") (param $times i32) (result f32) ${locals} (local $half v128)
    (local.set $half (f32x4.splat (f32.const 0.5)))
    (loop $again
      ${all((at) => `(local.set $a${at} (f32x4.add (f32x4.mul (local.get $a${at}) (local.get $half)) (local.get $half)))`)}
      (br_if $again (local.tee $times (i32.sub (local.get $times) (i32.const 1)))))
    (f32x4.extract_lane 0 ${folded("f32x4.add")}))
  (func (export "read") (param $end i32) (result i64) ${locals} (local $at i32)
    (loop $again
      ${all((at) => `(local.set $a${at} (v128.or (local.get $a${at}) (v128.load offset=${16 * at} (local.get $at))))`)}
      (br_if $again (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const ${16 * ACCUMULATORS}))) (local.get $end))))
    (i64x2.extract_lane 0 ${folded("v128.or")})))`;

const parsed = binaryen.parseText(TEXT);
parsed.setFeatures(binaryen.Features.All);
const { memory, multiply, read } = new WebAssembly.Instance(new WebAssembly.Module(parsed.emitBinary())).exports;
new Uint8Array(memory.buffer).fill(1);

/** The least milliseconds of many calls, the first of which are those that get it compiled for speed. */
function fastest(call) {
  let least = Infinity;
  for (let at = 0; at < REPEATS; at += 1) {
    const started = performance.now();
    call();
    least = Math.min(least, performance.now() - started);
  }
  return least;
}

const TIMES = 1_000_000;
console.log(`${((TIMES * ACCUMULATORS * 4) / fastest(() => multiply(TIMES)) / 1e6).toFixed(1)} billion multiplications and additions a second`);
// Until it is compiled for speed, small tables would look slow.
fastest(() => read(ROWS["100,000 items"] * ROW));
for (const [name, rows] of Object.entries(ROWS)) {
  const bytes = rows * ROW;
  const ms = fastest(() => read(bytes));
  console.log(`${name}: ${(bytes / 1e6).toFixed(1)} MB in ${ms.toFixed(2)} ms, ${(bytes / ms / 1e6).toFixed(1)} GB/s`);
}
