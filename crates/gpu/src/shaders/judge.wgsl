// The scorer of dc4sr (prior, posterior, fusion), which gives the noise probability of each click, and the choice of the
// kept histories. A thread works on one click, and no thread waits for another: the networks are narrow, so that groups of
// threads that share a click would wait more than they compute. Workgroups are numbered by 64 clicks and network.
//
// Constants: WIDTH, HEADS, FEED (width of the feed-forward layer), MAX (most clicks of a history), TABLE (width of an
// embedding), CODE (of a semantic code), RECORD (values of a click), RULE (where the thresholds are in the weights),
// THRESHOLDS (their number; 0 for the gate), TILES (of the item table), and SHIFT and TEMPERATURE (bits of floats).

const LANES: u32 = 64u;
const HEAD: u32 = WIDTH / HEADS;
// Four columns of a weight are stored together; its rows are padded to a multiple of four.
const WIDE4: u32 = (WIDTH + 3u) / 4u;
const FEED4: u32 = (FEED + 3u) / 4u;
const WIDE: u32 = 4u * WIDE4;
// Offsets of a block's weights. A norm has scale and offset; a layer has a row per input, then its bias.
const NORM: u32 = 2u * WIDE4;
const LAYER: u32 = (WIDTH + 1u) * WIDE4;
const OUTPUT: u32 = NORM + 3u * LAYER;
const FEED_NORM: u32 = OUTPUT + LAYER;
const WIDEN: u32 = FEED_NORM + NORM;
const NARROW: u32 = WIDEN + (WIDTH + 1u) * FEED4;
const PRIOR: u32 = 0u;
const POSTERIOR: u32 = 1u;
const FUSION: u32 = 2u;
// What is stored of a click behind its embedding and its code.
const POPULARITY: u32 = TABLE + CODE;
const INVERSE: u32 = POPULARITY + 1u;
const WEIGHT: u32 = POPULARITY + 2u;
// Statistics of similarity are stored behind the cosines of both kinds: of embeddings, of codes.
const SUMMARY: u32 = 4u;
const PAIRS: u32 = MAX * MAX;
const SHARPNESS: f32 = 8.0;
// Logits are stored behind the hidden states of both views.
const LOGITS: u32 = 2u * WIDTH * MAX;
const ALL: u32 = (1u << THRESHOLDS) - 1u;

struct Question { len: u32, k: u32 }
// A click of a history by its number, and its weight.
struct Place { click: u32, weight: f32 }
// The length of a history, and its weight.
struct History { len: u32, share: f32 }
// A network and one of its blocks: where its input layer, the block, the attention bias and what follows the last block
// are in the weights; the number of inputs; the first kind of similarity and the number of kinds; whether the block is
// the first and the last.
struct Step {
  net: u32, input: u32, inputs: u32, start: u32, pulls: u32, end: u32, kind: u32, kinds: u32,
  first: u32, last: u32,
}

@group(0) @binding(0) var<storage, read> weights: array<vec4<f32>>;
// By network: hidden states, [WIDTH, MAX].
@group(0) @binding(1) var<storage, read_write> x: array<f32>;
// By network: queries, keys and values, [3 * WIDE, MAX].
@group(0) @binding(2) var<storage, read_write> projected: array<f32>;
// By click: embedding, code, popularity, 1 / length of the embedding, weight.
@group(0) @binding(3) var<storage, read> given: array<f32>;
// Cosines of the clicks, by kind [MAX, MAX]; then statistics, by kind [SUMMARY, MAX].
@group(0) @binding(4) var<storage, read_write> similar: array<f32>;
// By view: hidden states [WIDTH, MAX]; then logits [MAX].
@group(0) @binding(5) var<storage, read_write> seen: array<f32>;
@group(0) @binding(6) var<storage, read_write> noise: array<f32>;
// Not uniform: some drivers compile a kernel again for each value of a uniform that bounds a loop.
@group(0) @binding(7) var<storage, read> steps: array<Step>;
@group(0) @binding(8) var<storage, read> question: Question;
@group(0) @binding(9) var<storage, read_write> places: array<Place>;
// The number of histories as a length, then the histories.
@group(0) @binding(10) var<storage, read_write> many: array<History>;
// The weight of each click over all histories.
@group(0) @binding(11) var<storage, read_write> kept: array<f32>;
// Numbers of workgroups, in threes: of the encoder's kernels, of its last, and of those that score and sum up.
@group(0) @binding(12) var<storage, read_write> grid: array<u32>;

// Similarity of a click to all. Workgroups are numbered by 64 clicks and kind.
@compute @workgroup_size(64)
fn liken(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let click = workgroup.x * LANES + lane;
  let kind = workgroup.y;
  let len = question.len;
  if (click >= len) {
    return;
  }
  let width = select(TABLE, CODE, kind == 1u);
  let first = select(0u, TABLE, kind == 1u);
  let own = click * RECORD;
  var sum = 0.0;
  var most = -2.0;
  var sharp = 0.0;
  var sharpened = 0.0;
  var near = 0.0;
  for (var other = 0u; other < len; other++) {
    let its = other * RECORD;
    var value = 0.0;
    for (var i = first; i < first + width; i++) {
      value += given[own + i] * given[its + i];
    }
    value *= select(given[own + INVERSE] * given[its + INVERSE], 1.0, kind == 1u);
    similar[kind * PAIRS + other * MAX + click] = value;
    if (other != click) {
      // A cosine is at most 1.
      let weight = exp(SHARPNESS * (value - 1.0));
      sum += value;
      most = max(most, value);
      sharp += weight;
      sharpened += weight * value;
      if (other + 1u == click || other == click + 1u) {
        near += value;
      }
    }
  }
  // A single click has no others.
  let some = select(0.0, 1.0, len > 1u);
  let to = 2u * PAIRS + kind * SUMMARY * MAX + click;
  similar[to] = some * 3.0 * sum / f32(max(len, 2u) - 1u);
  similar[to + MAX] = some * 2.0 * most;
  similar[to + 2u * MAX] = some * 2.0 * sharpened / max(sharp, 1e-30);
  similar[to + 3u * MAX] = some * near;
}

// A thread's values of its click: a row, what a layer makes of it, and the hidden layer of the feed-forward network.
var<private> row: array<f32, WIDE>;
var<private> made: array<f32, WIDE>;
var<private> wide: array<f32, 4u * FEED4>;

// Four columns, from 4 * j on, of `row` times the layer at `at`.
fn columns_of(at: u32, outputs: u32, j: u32) -> vec4<f32> {
  var sum = weights[at + WIDTH * outputs + j];
  for (var i = 0u; i < WIDTH; i++) {
    sum += weights[at + i * outputs + j] * row[i];
  }
  return sum;
}

// Layer normalisation of `made`, to `row`, with the scale and offset at `at`.
fn normalise(at: u32) {
  var sum = 0.0;
  for (var i = 0u; i < WIDTH; i++) {
    sum += made[i];
  }
  let mean = sum / f32(WIDTH);
  var squares = 0.0;
  for (var i = 0u; i < WIDTH; i++) {
    squares += (made[i] - mean) * (made[i] - mean);
  }
  let factor = inverseSqrt(squares / f32(WIDTH) + 1e-8);
  for (var i = 0u; i < WIDTH; i++) {
    row[i] = (made[i] - mean) * factor * weights[at + i / 4u][i % 4u] + weights[at + WIDE4 + i / 4u][i % 4u];
  }
}

fn put(to: u32, four: vec4<f32>) {
  made[4u * to] = four.x;
  made[4u * to + 1u] = four.y;
  made[4u * to + 2u] = four.z;
  made[4u * to + 3u] = four.w;
}

// GELU: x times the normal distribution function, by Abramowitz and Stegun's 7.1.26.
fn gelu(value: vec4<f32>) -> vec4<f32> {
  let t = 1.0 / (1.0 + 0.3275911 * abs(value) * 0.70710678);
  let series = ((((1.0614054 * t - 1.4531521) * t + 1.4214138) * t - 0.28449672) * t + 0.2548296) * t;
  let tail = 0.5 * series * exp(-0.5 * value * value);
  return value * select(1.0 - tail, tail, value < vec4(0.0));
}

// An input of a network.
fn input_of(net: u32, click: u32, i: u32) -> f32 {
  var at = i;
  if (net == FUSION) {
    if (i < WIDTH) {
      return seen[(POSTERIOR * WIDTH + i) * MAX + click];
    }
    if (i < 2u * WIDTH) {
      return seen[(PRIOR * WIDTH + i - WIDTH) * MAX + click];
    }
    if (i < 2u * WIDTH + 2u) {
      return seen[LOGITS + (2u * WIDTH + 1u - i) * MAX + click];
    }
    if (i == 2u * WIDTH + 2u) {
      return given[click * RECORD + POPULARITY];
    }
    at -= 2u * WIDTH + 3u;
  } else if (net == PRIOR) {
    at += TABLE;
  } else if (i == TABLE) {
    return given[click * RECORD + POPULARITY];
  }
  let value = given[click * RECORD + at];
  if (at < TABLE) {
    return value * given[click * RECORD + INVERSE] * sqrt(f32(TABLE));
  }
  return value * select(1.0, sqrt(f32(CODE)), at < POPULARITY);
}

// Queries, keys and values.
@compute @workgroup_size(64)
fn view(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let click = workgroup.x * LANES + lane;
  let step = steps[workgroup.y];
  if (click >= question.len) {
    return;
  }
  let at = workgroup.y * WIDTH * MAX + click;
  if (step.first == 1u) {
    let positions = step.input + (step.inputs + 1u) * WIDE4 + (MAX - question.len + click) * WIDE4;
    var sums: array<vec4<f32>, WIDE4>;
    for (var j = 0u; j < WIDE4; j++) {
      sums[j] = weights[step.input + step.inputs * WIDE4 + j] + weights[positions + j];
    }
    for (var i = 0u; i < step.inputs; i++) {
      let value = input_of(step.net, click, i);
      for (var j = 0u; j < WIDE4; j++) {
        sums[j] += weights[step.input + i * WIDE4 + j] * value;
      }
    }
    for (var j = 0u; j < WIDE4; j++) {
      put(j, sums[j]);
    }
    for (var i = 0u; i < WIDTH; i++) {
      x[at + i * MAX] = made[i];
    }
  } else {
    for (var i = 0u; i < WIDTH; i++) {
      made[i] = x[at + i * MAX];
    }
  }
  normalise(step.start);
  let to = workgroup.y * 3u * WIDE * MAX + click;
  for (var part = 0u; part < 3u; part++) {
    for (var j = 0u; j < WIDE4; j++) {
      let four = columns_of(step.start + NORM + part * LAYER, WIDE4, j);
      let place = to + (part * WIDE + 4u * j) * MAX;
      projected[place] = four.x;
      projected[place + MAX] = four.y;
      projected[place + 2u * MAX] = four.z;
      projected[place + 3u * MAX] = four.w;
    }
  }
}

// Attention of a click to all, written to `row`: first the largest score, then the sums.
fn attend(step: Step, net: u32, click: u32) {
  let len = question.len;
  let start = net * 3u * WIDE * MAX;
  for (var head = 0u; head < HEADS; head++) {
    var pulls = vec2(0.0);
    for (var kind = 0u; kind < step.kinds; kind++) {
      pulls[kind] = weights[step.pulls + kind * ((HEADS + 3u) / 4u) + head / 4u][head % 4u];
    }
    let first = head * HEAD;
    for (var i = 0u; i < HEAD; i++) {
      made[i] = projected[start + (first + i) * MAX + click] * inverseSqrt(f32(HEAD));
      row[first + i] = 0.0;
    }
    var top = -3.0e38;
    var sum = 0.0;
    for (var other = 0u; other < len; other++) {
      var score = pulls.x * similar[step.kind * PAIRS + other * MAX + click];
      if (step.kinds == 2u) {
        score += pulls.y * similar[PAIRS + other * MAX + click];
      }
      for (var i = 0u; i < HEAD; i++) {
        score += made[i] * projected[start + (WIDE + first + i) * MAX + other];
      }
      // What was summed so far is scaled down when a larger score is found.
      let larger = max(top, score);
      let shrunk = exp(top - larger);
      let weight = exp(score - larger);
      top = larger;
      sum = sum * shrunk + weight;
      for (var i = 0u; i < HEAD; i++) {
        row[first + i] = row[first + i] * shrunk + weight * projected[start + (2u * WIDE + first + i) * MAX + other];
      }
    }
    for (var i = 0u; i < HEAD; i++) {
      row[first + i] /= sum;
    }
  }
}

@compute @workgroup_size(64)
fn judge(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let click = workgroup.x * LANES + lane;
  let step = steps[workgroup.y];
  if (click >= question.len) {
    return;
  }
  let at = workgroup.y * WIDTH * MAX + click;
  attend(step, workgroup.y, click);
  for (var j = 0u; j < WIDE4; j++) {
    put(j, columns_of(step.start + OUTPUT, WIDE4, j));
  }
  for (var i = 0u; i < WIDTH; i++) {
    made[i] += x[at + i * MAX];
  }
  normalise(step.start + FEED_NORM);
  for (var j = 0u; j < FEED4; j++) {
    let four = gelu(columns_of(step.start + WIDEN, FEED4, j));
    wide[4u * j] = four.x;
    wide[4u * j + 1u] = four.y;
    wide[4u * j + 2u] = four.z;
    wide[4u * j + 3u] = four.w;
  }
  for (var j = 0u; j < WIDE4; j++) {
    var sum = weights[step.start + NARROW + FEED * WIDE4 + j];
    for (var i = 0u; i < FEED; i++) {
      sum += weights[step.start + NARROW + i * WIDE4 + j] * wide[i];
    }
    made[4u * j] += sum.x;
    made[4u * j + 1u] += sum.y;
    made[4u * j + 2u] += sum.z;
    made[4u * j + 3u] += sum.w;
  }
  if (step.last == 0u) {
    for (var i = 0u; i < WIDTH; i++) {
      x[at + i * MAX] = made[i];
    }
    return;
  }
  normalise(step.end);
  if (step.net != FUSION) {
    for (var i = 0u; i < WIDTH; i++) {
      seen[(step.net * WIDTH + i) * MAX + click] = row[i];
    }
  }
  let inputs = WIDTH + step.kinds * SUMMARY;
  let merge = step.end + NORM;
  let output = merge + (inputs + 1u) * WIDE4;
  var logit = weights[output + WIDTH].x;
  for (var j = 0u; j < WIDE4; j++) {
    var sum = weights[merge + inputs * WIDE4 + j];
    for (var i = 0u; i < WIDTH; i++) {
      sum += weights[merge + i * WIDE4 + j] * row[i];
    }
    for (var i = 0u; i < step.kinds * SUMMARY; i++) {
      let value = similar[2u * PAIRS + (step.kind * SUMMARY + i) * MAX + click];
      sum += weights[merge + (WIDTH + i) * WIDE4 + j] * value;
    }
    let four = gelu(sum);
    for (var i = 4u * j; i < min(4u * j + 4u, WIDTH); i++) {
      logit += four[i % 4u] * weights[output + i].x;
    }
  }
  if (step.net == FUSION) {
    noise[click] = sigmoid(logit + seen[LOGITS + click] + seen[LOGITS + MAX + click]);
  } else {
    seen[LOGITS + step.net * MAX + click] = logit;
  }
}

// The calibrated probability of a noise logit. Where its exponential has no finite value, the probability is 0.
fn sigmoid(logit: f32) -> f32 {
  let scaled = (logit - bitcast<f32>(SHIFT)) / bitcast<f32>(TEMPERATURE);
  return select(1.0 / (1.0 + exp(-scaled)), 0.0, scaled < -88.7);
}

// Whether it is no number; comparisons need not say so.
fn unknown(value: f32) -> bool {
  return (bitcast<u32>(value) & 0x7fffffffu) > 0x7f800000u;
}

// By click: one bit per threshold, set if the click is kept.
var<workgroup> masks: array<u32, MAX>;
var<workgroup> kept_by: atomic<u32>;
var<workgroup> latest: atomic<u32>;
var<workgroup> distinct: atomic<u32>;

// One workgroup. The thresholds ascend, so that each history contains the one before, and equal histories follow one
// another. The first that differs from the one before it stands for those that are equal to it.
@compute @workgroup_size(64)
fn choose(@builtin(local_invocation_index) lane: u32) {
  let len = question.len;
  for (var click = lane; click < len; click += LANES) {
    let own = noise[click];
    let weight = given[click * RECORD + WEIGHT];
    var mask = 0u;
    if (weight > 0.0) {
      let against = own + (1.0 - weight) * (1.0 - own);
      for (var at = 0u; at < THRESHOLDS; at++) {
        if (unknown(against) || against <= weights[RULE + at / 4u][at % 4u]) {
          mask |= 1u << at;
        }
      }
      atomicOr(&kept_by, mask);
      atomicMax(&latest, click + 1u);
    }
    masks[click] = mask;
  }
  workgroupBarrier();
  // A history that would be empty gets the latest click.
  if (lane == 0u && atomicLoad(&latest) > 0u) {
    masks[atomicLoad(&latest) - 1u] |= ALL & ~atomicLoad(&kept_by);
  }
  workgroupBarrier();
  for (var click = lane; click < len; click += LANES) {
    let mask = masks[click];
    kept[click] = f32(countOneBits(mask)) / f32(THRESHOLDS);
    atomicOr(&distinct, (mask ^ (mask << 1u)) & ALL);
  }
  workgroupBarrier();
  var bits = atomicLoad(&distinct);
  let count = countOneBits(bits);
  for (var skipped = 0u; skipped < lane; skipped++) {
    bits &= bits - 1u;
  }
  if (lane < count) {
    let from_bit = firstTrailingBit(bits);
    let rest = bits & (bits - 1u);
    let to_bit = select(firstTrailingBit(rest), THRESHOLDS, rest == 0u);
    var place = 0u;
    for (var click = 0u; click < len; click++) {
      if ((masks[click] >> from_bit) % 2u == 1u) {
        places[lane * MAX + place] = Place(click, 1.0);
        place += 1u;
      }
    }
    many[1u + lane] = History(place, f32(to_bit - from_bit) / f32(THRESHOLDS));
  } else if (lane < THRESHOLDS) {
    many[1u + lane] = History(0u, 0.0);
  }
  if (lane == 0u) {
    many[0].len = count;
    // The last history is the longest, and has at most as many clicks as there are.
    write_grid(count, len);
  }
}

// The numbers of workgroups for so many histories of at most `len` clicks.
fn write_grid(count: u32, len: u32) {
  let sizes = array(
    (len + 3u) / 4u, count, 1u,
    1u, count, 1u,
    count, TILES, 1u,
    count, 1u, 1u,
  );
  for (var at = 0u; at < 12u; at++) {
    grid[at] = sizes[at];
  }
}

var<workgroup> left: atomic<u32>;
var<workgroup> counts: atomic<u32>;

// One workgroup: a single history, whose clicks are weighted by the gate.
@compute @workgroup_size(64)
fn gate(@builtin(local_invocation_index) lane: u32) {
  let len = question.len;
  let low = weights[RULE].x;
  let high = weights[RULE].y;
  for (var click = lane; click < len; click += LANES) {
    let own = clamp((high - noise[click]) / (high - low), 0.0, 1.0);
    kept[click] = own;
    if (own > 0.0) {
      atomicOr(&left, 1u);
    }
  }
  workgroupBarrier();
  for (var click = lane; click < len; click += LANES) {
    // If all would get 0, the last one gets 1.
    let alone = click + 1u == len && atomicLoad(&left) == 0u;
    let weight = select(kept[click], 1.0, alone) * given[click * RECORD + WEIGHT];
    kept[click] = weight;
    places[click] = Place(click, weight);
    if (weight > 0.0) {
      atomicOr(&counts, 1u);
    }
  }
  workgroupBarrier();
  if (lane == 0u) {
    many[0].len = atomicLoad(&counts);
    many[1] = History(len * atomicLoad(&counts), 1.0);
    write_grid(atomicLoad(&counts), len);
  }
}
