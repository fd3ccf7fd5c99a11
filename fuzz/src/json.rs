//! Mutations of JSON that leave it JSON: a fuzzer that changes bytes seldom reaches what is behind the syntax.

use libfuzzer_sys::fuzzer_mutate;
use serde_json::{Value, json};

/// Changes one value of the JSON in the first `size` bytes, or bytes of it as libFuzzer does, and says how many there
/// are then.
pub fn mutate(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    match changed(&data[..size], seed).filter(|json| json.len() <= max_size) {
        Some(json) => {
            data[..json.len()].copy_from_slice(&json);
            json.len()
        }
        None => fuzzer_mutate(data, size, max_size),
    }
}

/// The same JSON with one value changed; nothing in half of the cases, and where it is no JSON.
pub fn changed(json: &[u8], seed: u32) -> Option<Vec<u8>> {
    if seed % 2 == 0 {
        return None;
    }
    let mut tree = serde_json::from_slice(json).ok()?;
    let mut chance = Chance(u64::from(seed));
    let mut at = chance.below(count(&tree));
    visit(&mut tree, &mut at, &mut |value| change(value, &mut chance));
    serde_json::to_vec(&tree).ok()
}

fn change(value: &mut Value, chance: &mut Chance) {
    let likely = chance.below(2) == 0;
    match value {
        Value::Number(number) if likely => {
            let number = number.as_u64().unwrap_or_default();
            *value = [number.wrapping_add(1), number.saturating_sub(1)][chance.below(2)].into();
        }
        Value::Array(list) if likely && !list.is_empty() => {
            let at = chance.below(list.len());
            if chance.below(2) == 0 {
                list.remove(at);
            } else {
                list.push(list[at].clone());
            }
        }
        Value::Object(entries) if likely && !entries.is_empty() => {
            let key = entries.keys().nth(chance.below(entries.len())).cloned();
            entries.remove(&key.expect("one of them"));
        }
        _ => *value = strange(chance),
    }
}

/// What readers stumble over.
fn strange(chance: &mut Chance) -> Value {
    let values = json!([
        0,
        1,
        2,
        -1,
        127,
        255,
        65_536,
        2_147_483_648_u64,
        4_294_967_295_u64,
        u64::MAX,
        i64::MIN,
        0.5,
        1e-46,
        1e39,
        1e308,
        "",
        "0",
        "\u{0}",
        "é",
        "../x",
        "int8",
        "f16",
        "f32",
        "F32",
        "I8",
        "model",
        "items",
        "ids",
        null,
        true,
        [],
        [0, 4],
        {}
    ]);
    values[chance.below(values.as_array().map_or(1, Vec::len))].clone()
}

/// Values in the tree, itself counted.
fn count(tree: &Value) -> usize {
    1 + match tree {
        Value::Array(list) => list.iter().map(count).sum(),
        Value::Object(entries) => entries.values().map(count).sum(),
        _ => 0,
    }
}

/// Goes to the value that is `at` places on, and whether it was there.
fn visit(tree: &mut Value, at: &mut usize, found: &mut dyn FnMut(&mut Value)) -> bool {
    if *at == 0 {
        found(tree);
        return true;
    }
    *at -= 1;
    match tree {
        Value::Array(list) => list.iter_mut().any(|value| visit(value, at, found)),
        Value::Object(entries) => entries.values_mut().any(|value| visit(value, at, found)),
        _ => false,
    }
}

/// A seeded generator (`SplitMix64`).
pub struct Chance(pub u64);

impl Chance {
    /// A number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % n as u64) as usize
    }
}
