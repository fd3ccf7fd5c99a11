// Scores all rows, adds up the softmax's denominator, and finds the best rows.
//
// Constants: ROWS of the catalogue, COLUMNS of 16 bytes per row, BYTES (1 if values are bytes, 0 for floats), GROUPS
// of 32 rows. A group is what one thread scores; its rows are 64 apart. The best row and the mass of 32 groups are
// stored again behind those of the groups, so that finding and removing the best row reads 96 scores instead of all.

// A row with a score at or below this is not recommended ...
const BARRED: f32 = -3.0e38;
// ... and at or below this it has values that are not finite, and is left out of the softmax.
const DEAD: f32 = -3.3e38;
const NOBODY: u32 = 0xffffffffu;
const FAN: u32 = 32u;
const LANES: u32 = 64u;
const TILE: u32 = 2048u;

struct Question { len: u32, k: u32 }
struct History { len: u32, share: f32 }
struct Best { score: f32, row: u32 }
// The largest logit, and the sum of exp(logit - top).
struct Mass { top: f32, sum: f32 }

@group(0) @binding(0) var<storage, read> table: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> factors: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read> vector: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> scores: array<f32>;
@group(0) @binding(5) var<storage, read_write> bests: array<Best>;
@group(0) @binding(6) var<storage, read_write> masses: array<Mass>;
@group(0) @binding(7) var<storage, read_write> answer: array<u32>;
@group(0) @binding(8) var<uniform> question: Question;
// For several histories: their logits `[histories, GROUPS * FAN]`, the masses of the groups `[histories, GROUPS]`,
// the masses of all rows, and each history's length and weight. `vector` then has one row per history.
@group(0) @binding(9) var<storage, read_write> each: array<f32>;
@group(0) @binding(10) var<storage, read_write> each_mass: array<Mass>;
@group(0) @binding(11) var<storage, read_write> totals: array<Mass>;
// Their number comes first, as a length.
@group(0) @binding(12) var<storage, read> many: array<History>;

fn better(a: Best, b: Best) -> Best {
  let second = b.score > a.score || (b.score == a.score && b.row < a.row);
  return Best(select(a.score, b.score, second), select(a.row, b.row, second));
}

fn sum_of(a: Mass, b: Mass) -> Mass {
  let top = max(a.top, b.top);
  return Mass(top, a.sum * exp(a.top - top) + b.sum * exp(b.top - top));
}

// Adds one logit. A single exponential: of the difference between the logit and the maximum so far.
fn with_logit(mass: Mass, logit: f32) -> Mass {
  let below = exp(-abs(logit - mass.top));
  return Mass(max(mass.top, logit), select(mass.sum + below, mass.sum * below + 1.0, logit > mass.top));
}

// The sum over the 16 bytes of a piece of a row.
fn bytes(bits: vec4<u32>, a: vec4<f32>, b: vec4<f32>, c: vec4<f32>, d: vec4<f32>) -> f32 {
  return dot(unpack4x8snorm(bits.x), a) + dot(unpack4x8snorm(bits.y), b)
    + dot(unpack4x8snorm(bits.z), c) + dot(unpack4x8snorm(bits.w), d);
}

// The sums over four rows, 64 apart, the first of which is this thread's in `block`. They are computed together so
// that the vector, from `start` on, is read once for four rows.
fn sums(block: u32, lane: u32, start: u32) -> vec4<f32> {
  var sums = vec4(0.0);
  for (var column = 0u; column < COLUMNS; column++) {
    let at = (block * COLUMNS + column) * LANES + lane;
    let next = COLUMNS * LANES;
    if (BYTES == 1u) {
      let a = vector[start + 4u * column];
      let b = vector[start + 4u * column + 1u];
      let c = vector[start + 4u * column + 2u];
      let d = vector[start + 4u * column + 3u];
      sums += vec4(
        bytes(table[at], a, b, c, d), bytes(table[at + next], a, b, c, d),
        bytes(table[at + 2u * next], a, b, c, d), bytes(table[at + 3u * next], a, b, c, d),
      );
    } else {
      let a = vector[start + column];
      sums += vec4(
        dot(bitcast<vec4<f32>>(table[at]), a), dot(bitcast<vec4<f32>>(table[at + next]), a),
        dot(bitcast<vec4<f32>>(table[at + 2u * next]), a), dot(bitcast<vec4<f32>>(table[at + 3u * next]), a),
      );
    }
  }
  return sums;
}

@compute @workgroup_size(64)
fn score(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let tile = workgroup.x;
  var best = Best(BARRED, NOBODY);
  var mass = Mass(BARRED, 0.0);
  var four = vec4(0.0);
  for (var part = 0u; part < FAN; part++) {
    let block = tile * FAN + part;
    if (part % 4u == 0u) {
      four = sums(block, lane, 0u);
    }
    let row = block * LANES + lane;
    var value = BARRED;
    let added = bias[row];
    if (row < ROWS && added > DEAD) {
      let logit = four[part % 4u] * factors[row];
      mass = with_logit(mass, logit);
      value = select(BARRED, logit + added, added > BARRED);
    }
    scores[row] = value;
    best = better(best, Best(value, row));
  }
  let group = tile * LANES + lane;
  bests[group] = best;
  masses[group] = mass;
}

// The logits of one tile for one of several histories. The workgroups of a tile are consecutive, so that its rows are
// in the cache for all but the first.
@compute @workgroup_size(64)
fn score_each(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let history = workgroup.x;
  let tile = workgroup.y;
  if (history >= many[0].len) {
    return;
  }
  let start = history * select(COLUMNS, 4u * COLUMNS, BYTES == 1u);
  var mass = Mass(BARRED, 0.0);
  var four = vec4(0.0);
  for (var part = 0u; part < FAN; part++) {
    let block = tile * FAN + part;
    if (part % 4u == 0u) {
      four = sums(block, lane, start);
    }
    let row = block * LANES + lane;
    let logit = four[part % 4u] * factors[row];
    if (row < ROWS && bias[row] > DEAD) {
      mass = with_logit(mass, logit);
    }
    each[history * GROUPS * FAN + row] = logit;
  }
  each_mass[history * GROUPS + tile * LANES + lane] = mass;
}

// One workgroup per history: the mass of all its rows.
@compute @workgroup_size(64)
fn total(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let history = workgroup.x;
  if (history >= many[0].len) {
    return;
  }
  var own = Mass(BARRED, 0.0);
  for (var group = lane; group < GROUPS; group += LANES) {
    own = sum_of(own, each_mass[history * GROUPS + group]);
  }
  let all = mass_of_all(lane, own);
  if (lane == 0u) {
    totals[history] = all;
  }
}

fn logarithm(mass: Mass) -> f32 {
  return mass.top + log(mass.sum);
}

var<workgroup> offsets: array<f32, HISTORIES>;

// The mean of the histories' probabilities, as logits that give them in the softmax of the last history.
@compute @workgroup_size(64)
fn mix(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let histories = many[0].len;
  let last = max(histories, 1u) - 1u;
  if (lane < histories) {
    offsets[lane] = log(many[1u + lane].share) + (logarithm(totals[last]) - logarithm(totals[lane]));
  }
  workgroupBarrier();
  let tile = workgroup.x;
  var best = Best(BARRED, NOBODY);
  for (var part = 0u; part < FAN; part++) {
    let row = (tile * FAN + part) * LANES + lane;
    var value = BARRED;
    let added = bias[row];
    if (row < ROWS && added > BARRED && histories > 0u) {
      var mass = Mass(BARRED, 0.0);
      for (var history = 0u; history < histories; history++) {
        mass = with_logit(mass, each[history * GROUPS * FAN + row] + offsets[history]);
      }
      value = logarithm(mass) + added;
    }
    scores[row] = value;
    best = better(best, Best(value, row));
  }
  let group = tile * LANES + lane;
  bests[group] = best;
  masses[group] = each_mass[last * GROUPS + group];
}

@compute @workgroup_size(64)
fn fold(@builtin(global_invocation_id) thread: vec3<u32>) {
  if (thread.x * FAN >= GROUPS) {
    return;
  }
  var best = Best(BARRED, NOBODY);
  var mass = Mass(BARRED, 0.0);
  for (var group = thread.x * FAN; group < (thread.x + 1u) * FAN; group++) {
    best = better(best, bests[group]);
    mass = sum_of(mass, masses[group]);
  }
  bests[GROUPS + thread.x] = best;
  masses[GROUPS + thread.x] = mass;
}

var<workgroup> shared_bests: array<Best, 64>;
var<workgroup> shared_masses: array<Mass, 64>;

// The best row of all threads.
fn best_of_all(lane: u32, own: Best) -> Best {
  shared_bests[lane] = own;
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) {
      shared_bests[lane] = better(shared_bests[lane], shared_bests[lane + half]);
    }
  }
  return workgroupUniformLoad(&shared_bests[0]);
}

fn mass_of_all(lane: u32, own: Mass) -> Mass {
  shared_masses[lane] = own;
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) {
      shared_masses[lane] = sum_of(shared_masses[lane], shared_masses[lane + half]);
    }
  }
  return workgroupUniformLoad(&shared_masses[0]);
}

fn best_row(lane: u32) -> Best {
  var own = Best(BARRED, NOBODY);
  for (var at = lane; at < GROUPS / FAN; at += LANES) {
    own = better(own, bests[GROUPS + at]);
  }
  return best_of_all(lane, own);
}

// Removes a row from its group and from its upper group.
fn take_out(lane: u32, row: u32) {
  let tile = row / TILE;
  let column = row % LANES;
  let group = tile * LANES + column;
  var own = Best(BARRED, NOBODY);
  if (lane < FAN) {
    let member = tile * TILE + lane * LANES + column;
    if (member == row) {
      scores[row] = BARRED;
    } else {
      own = Best(scores[member], member);
    }
  }
  let left = best_of_all(lane, own);
  own = Best(BARRED, NOBODY);
  if (lane < FAN) {
    let member = group / FAN * FAN + lane;
    if (member == group) {
      bests[group] = left;
      own = left;
    } else {
      own = bests[member];
    }
  }
  let upper = best_of_all(lane, own);
  if (lane == 0u) {
    bests[GROUPS + group / FAN] = upper;
  }
  storageBarrier();
}

// One workgroup: writes maximum and sum of the softmax, the number of rows found, and the rows.
@compute @workgroup_size(64)
fn pick(@builtin(local_invocation_index) lane: u32) {
  var own = Mass(BARRED, 0.0);
  for (var at = lane; at < GROUPS / FAN; at += LANES) {
    own = sum_of(own, masses[GROUPS + at]);
  }
  let mass = mass_of_all(lane, own);
  var found = best_row(lane);
  var count = 0u;
  for (; count < question.k; count++) {
    if (found.score <= BARRED) {
      break;
    }
    if (lane == 0u) {
      answer[HEADER + count] = found.row;
    }
    take_out(lane, found.row);
    found = best_row(lane);
  }
  if (lane == 0u) {
    answer[0] = bitcast<u32>(mass.top);
    answer[1] = bitcast<u32>(mass.sum);
    answer[2] = count;
  }
}
