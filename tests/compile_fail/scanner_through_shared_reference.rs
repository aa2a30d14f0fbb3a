use std::sync::Arc;

use dragnet::{Batch, Matches, Scan};

fn main() {}

fn share<S: Scan>(scanner: Arc<S>, batch: &Batch<'_>) {
    let _ = scanner.scan(batch, &mut Matches::new());
}
