// A causal Transformer over one or more histories, two kernels per block. A workgroup processes four clicks of a history
// at a time, one in each component of its vectors, so that each weight is read once for four clicks. Workgroups are
// numbered by quad and history; those of clicks and histories that are not there return at once.
//
// Constants: WIDTH, HEADS, FEED (width of the feed-forward layer), QUADS (largest number of groups of four clicks), MAX
// (most clicks of a history), RECORD (values of a click), POSITIONS (where they are in the weights), STRIDE (from one user
// vector to the next).

const LANES: u32 = 64u;
// Threads that share a sum over a row.
const PARTS: u32 = 16u;
const HEAD: u32 = WIDTH / HEADS;
// Four columns of a weight are stored together; its rows are padded to a multiple of four.
const WIDE4: u32 = (WIDTH + 3u) / 4u;
const FEED4: u32 = (FEED + 3u) / 4u;
// Offsets of a block's weights. A norm has scale and offset; a layer has a row per input, then its bias.
const NORM: u32 = 2u * WIDE4;
const LAYER: u32 = (WIDTH + 1u) * WIDE4;
const OUTPUT: u32 = NORM + 3u * LAYER;
const FEED_NORM: u32 = OUTPUT + LAYER;
const WIDEN: u32 = FEED_NORM + NORM;
const NARROW: u32 = WIDEN + (WIDTH + 1u) * FEED4;
const END: u32 = NARROW + (FEED + 1u) * WIDE4;

// A click of a history by its number, and its weight.
struct Place { click: u32, weight: f32 }
// The length of a history, and its weight.
struct History { len: u32, share: f32 }
// Offset of the block's weights, whether it is the first, and whether it is the last: then only the latest click is
// computed, and normalised.
struct Block { start: u32, first: u32, last: u32 }

@group(0) @binding(0) var<storage, read> weights: array<vec4<f32>>;
// By history: [QUADS, WIDTH]
@group(0) @binding(1) var<storage, read_write> x: array<vec4<f32>>;
// By history: queries, keys and values, each [QUADS, 4 * WIDE4].
@group(0) @binding(2) var<storage, read_write> projected: array<vec4<f32>>;
// By click: the embedding, then what only the scorer reads.
@group(0) @binding(3) var<storage, read> given: array<f32>;
// The clicks of each history, [histories, MAX].
@group(0) @binding(4) var<storage, read> places: array<Place>;
// The number of histories as a length, then the histories.
@group(0) @binding(5) var<storage, read> many: array<History>;
@group(0) @binding(6) var<storage, read_write> user: array<f32>;
@group(0) @binding(7) var<uniform> block: Block;

var<workgroup> row: array<vec4<f32>, 4u * WIDE4>;
var<workgroup> skip: array<vec4<f32>, 4u * WIDE4>;
var<workgroup> partial: array<vec4<f32>, PARTS>;
// Attention weights per click and head; later the hidden layer of the feed-forward network.
var<workgroup> scratch: array<vec4<f32>, SCRATCH>;

// Four columns of a layer's output for four clicks.
struct Tile { a: vec4<f32>, b: vec4<f32>, c: vec4<f32>, d: vec4<f32> }

fn outer(tile: Tile, columns: vec4<f32>, clicks: vec4<f32>) -> Tile {
  return Tile(
    tile.a + columns.x * clicks, tile.b + columns.y * clicks,
    tile.c + columns.z * clicks, tile.d + columns.w * clicks,
  );
}

fn bias(columns: vec4<f32>) -> Tile {
  return Tile(vec4(columns.x), vec4(columns.y), vec4(columns.z), vec4(columns.w));
}

// Four columns, from 4 * j on, of `row` times the layer at `at`.
fn columns_of(at: u32, outputs: u32, j: u32) -> Tile {
  var tile = bias(weights[at + WIDTH * outputs + j]);
  for (var i = 0u; i < WIDTH; i++) {
    tile = outer(tile, weights[at + i * outputs + j], row[i]);
  }
  return tile;
}

// The sum of the values of the first PARTS threads.
fn sum_of(lane: u32, own: vec4<f32>) -> vec4<f32> {
  workgroupBarrier();
  if (lane < PARTS) {
    partial[lane] = own;
  }
  workgroupBarrier();
  var sum = vec4(0.0);
  for (var part = 0u; part < PARTS; part++) {
    sum += partial[part];
  }
  return sum;
}

// Layer normalisation of `row` with the scale and offset at `at`.
fn normalise(lane: u32, at: u32) {
  workgroupBarrier();
  var own = vec4(0.0);
  if (lane < PARTS) {
    for (var i = lane; i < WIDTH; i += PARTS) {
      own += row[i];
    }
  }
  let mean = sum_of(lane, own) / f32(WIDTH);
  own = vec4(0.0);
  if (lane < PARTS) {
    for (var i = lane; i < WIDTH; i += PARTS) {
      own += (row[i] - mean) * (row[i] - mean);
    }
  }
  let factor = inverseSqrt(sum_of(lane, own) / f32(WIDTH) + 1e-8);
  for (var j = lane; j < WIDE4; j += LANES) {
    let gamma = weights[at + j];
    let beta = weights[at + WIDE4 + j];
    row[4u * j] = (row[4u * j] - mean) * factor * gamma.x + beta.x;
    row[4u * j + 1u] = (row[4u * j + 1u] - mean) * factor * gamma.y + beta.y;
    row[4u * j + 2u] = (row[4u * j + 2u] - mean) * factor * gamma.z + beta.z;
    row[4u * j + 3u] = (row[4u * j + 3u] - mean) * factor * gamma.w + beta.w;
  }
  workgroupBarrier();
}

// Positions plus weighted embeddings.
fn input_of(history: u32, quad: u32, len: u32, j: u32) -> vec4<f32> {
  var value = vec4(0.0);
  for (var at = 0u; at < min(4u, len - 4u * quad); at++) {
    let click = 4u * quad + at;
    let place = places[history * MAX + click];
    let position = weights[POSITIONS + (MAX - len + click) * WIDE4 + j / 4u][j % 4u];
    value[at] = position + given[place.click * RECORD + j] * place.weight * sqrt(f32(WIDTH));
  }
  return value;
}

@compute @workgroup_size(64)
fn project(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let quad = workgroup.x;
  let history = workgroup.y;
  let len = many[1u + history].len;
  if (4u * quad >= len) {
    return;
  }
  let from_x = (history * QUADS + quad) * WIDTH;
  for (var j = lane; j < WIDTH; j += LANES) {
    if (block.first == 1u) {
      row[j] = input_of(history, quad, len, j);
      x[from_x + j] = row[j];
    } else {
      row[j] = x[from_x + j];
    }
  }
  normalise(lane, block.start);
  for (var at = lane; at < 3u * WIDE4; at += LANES) {
    let part = at / WIDE4;
    let j = at % WIDE4;
    let tile = columns_of(block.start + NORM + part * LAYER, WIDE4, j);
    let to = ((3u * history + part) * QUADS + quad) * 4u * WIDE4 + 4u * j;
    projected[to] = tile.a;
    projected[to + 1u] = tile.b;
    projected[to + 2u] = tile.c;
    projected[to + 3u] = tile.d;
  }
}

// Attention of four clicks to themselves and earlier clicks, written to `row`.
fn attend(lane: u32, history: u32, quad: u32) {
  let seen = quad + 1u;
  let queries = 3u * history * QUADS;
  let width = 4u * WIDE4;
  for (var at = lane; at < HEADS * seen; at += LANES) {
    let head = at / seen;
    let other = at % seen;
    var tile = bias(vec4(0.0));
    for (var i = head * HEAD; i < (head + 1u) * HEAD; i++) {
      tile = outer(tile, projected[(queries + QUADS + other) * width + i], projected[(queries + quad) * width + i]);
    }
    let scale = inverseSqrt(f32(HEAD));
    let to = (head * QUADS + other) * 4u;
    scratch[to] = tile.a * scale;
    scratch[to + 1u] = tile.b * scale;
    scratch[to + 2u] = tile.c * scale;
    scratch[to + 3u] = tile.d * scale;
  }
  workgroupBarrier();
  let clicks = vec4(4u * quad) + vec4(0u, 1u, 2u, 3u);
  for (var head = lane; head < HEADS; head += LANES) {
    let start = head * QUADS * 4u;
    // Every click attends to the first.
    var top = scratch[start];
    for (var other = 1u; other < 4u * seen; other++) {
      top = select(top, max(top, scratch[start + other]), vec4(other) <= clicks);
    }
    var sum = vec4(0.0);
    for (var other = 0u; other < 4u * seen; other++) {
      let weight = select(vec4(0.0), exp(scratch[start + other] - top), vec4(other) <= clicks);
      scratch[start + other] = weight;
      sum += weight;
    }
    for (var other = 0u; other < 4u * seen; other++) {
      scratch[start + other] /= sum;
    }
  }
  workgroupBarrier();
  for (var j = lane; j < WIDTH; j += LANES) {
    var sum = vec4(0.0);
    for (var other = 0u; other < seen; other++) {
      let weight = (j / HEAD * QUADS + other) * 4u;
      let values = projected[(queries + 2u * QUADS + other) * width + j];
      sum += scratch[weight] * values.x + scratch[weight + 1u] * values.y
        + scratch[weight + 2u] * values.z + scratch[weight + 3u] * values.w;
    }
    row[j] = sum;
  }
  workgroupBarrier();
}

// GELU: x times the normal distribution function, by Abramowitz and Stegun's 7.1.26.
fn gelu(value: vec4<f32>) -> vec4<f32> {
  let t = 1.0 / (1.0 + 0.3275911 * abs(value) * 0.70710678);
  let series = ((((1.0614054 * t - 1.4531521) * t + 1.4214138) * t - 0.28449672) * t + 0.2548296) * t;
  let tail = 0.5 * series * exp(-0.5 * value * value);
  return value * select(1.0 - tail, tail, value < vec4(0.0));
}

@compute @workgroup_size(64)
fn mix(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let history = workgroup.y;
  let len = many[1u + history].len;
  let latest = len - 1u;
  let quad = select(workgroup.x, latest / 4u, block.last == 1u);
  if (len == 0u || 4u * quad >= len) {
    return;
  }
  let from_x = (history * QUADS + quad) * WIDTH;
  let start = block.start;
  attend(lane, history, quad);
  for (var j = lane; j < WIDE4; j += LANES) {
    let tile = columns_of(start + OUTPUT, WIDE4, j);
    skip[4u * j] = tile.a;
    skip[4u * j + 1u] = tile.b;
    skip[4u * j + 2u] = tile.c;
    skip[4u * j + 3u] = tile.d;
  }
  workgroupBarrier();
  for (var j = lane; j < WIDTH; j += LANES) {
    skip[j] += x[from_x + j];
    row[j] = skip[j];
  }
  normalise(lane, start + FEED_NORM);
  for (var j = lane; j < FEED4; j += LANES) {
    let tile = columns_of(start + WIDEN, FEED4, j);
    scratch[4u * j] = gelu(tile.a);
    scratch[4u * j + 1u] = gelu(tile.b);
    scratch[4u * j + 2u] = gelu(tile.c);
    scratch[4u * j + 3u] = gelu(tile.d);
  }
  workgroupBarrier();
  for (var j = lane; j < WIDE4; j += LANES) {
    var tile = bias(weights[start + NARROW + FEED * WIDE4 + j]);
    for (var i = 0u; i < FEED; i++) {
      tile = outer(tile, weights[start + NARROW + i * WIDE4 + j], scratch[i]);
    }
    row[4u * j] = skip[4u * j] + tile.a;
    row[4u * j + 1u] = skip[4u * j + 1u] + tile.b;
    row[4u * j + 2u] = skip[4u * j + 2u] + tile.c;
    row[4u * j + 3u] = skip[4u * j + 3u] + tile.d;
  }
  if (block.last == 1u) {
    normalise(lane, start + END);
    for (var j = lane; j < WIDTH; j += LANES) {
      user[history * STRIDE + j] = row[j][latest % 4u];
    }
  } else {
    workgroupBarrier();
    for (var j = lane; j < WIDTH; j += LANES) {
      x[from_x + j] = row[j];
    }
  }
}
