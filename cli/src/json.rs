//! JSON output.

use serde::Serialize;

/// Appends `value` as one line of JSON.
pub(crate) fn push_line(out: &mut Vec<u8>, value: &impl Serialize) {
    // Writing to memory can't fail, and the values are structs of strings and numbers, which can
    // always be serialized.
    let _ = serde_json::to_writer(&mut *out, value);
    out.push(b'\n');
}
