//! JSON output.

use serde::Serialize;

/// Appends a value as one line of JSON.
pub(crate) fn push_line(out: &mut Vec<u8>, value: &impl Serialize) {
    // Structs of text and numbers written to memory can't fail.
    let _ = serde_json::to_writer(&mut *out, value);
    out.push(b'\n');
}
