//! The native engine scans batches of every layout.

use dragnet::{Batch, BatchBuf};

use super::{ascii, batch_of, check, is_refused};

#[test]
fn batches_of_every_layout_are_scanned() {
    if is_refused() {
        return;
    }
    // Sets for libhs, for the pure engine, for both, and for neither.
    for patterns in [vec!["ab", "b.c"], vec!["x*", "(?m:^)"], vec!["x*", "ab", "", "b.c"], vec![]] {
        let patterns = ascii(patterns);
        check(&patterns, &BatchBuf::new().as_batch());
        check(&patterns, &batch_of([&b""[..]; 3]).as_batch());
        let text = b"ab\n\nxab\nb-c\nbbc ab\n\n\nab";
        for len in 0..=text.len() {
            let mut offsets = Vec::new();
            check(&patterns, &Batch::lines(&text[..len], &mut offsets).unwrap());
        }
        // Lines with padding after them and, at the end, lines without.
        let mut offsets = Vec::new();
        let mut long = vec![b'-'; 1000];
        long.extend_from_slice(text);
        let lines = Batch::lines(&long, &mut offsets).unwrap();
        for end in 0..=lines.len() {
            check(&patterns, &lines.slice(end / 2..end));
        }
        check(&patterns, &Batch::from_offsets(text, &[2, 3, 3, 9, 20, 22]).unwrap());
        check(&patterns, &Batch::from_offsets(text, &[]).unwrap());
        check(&patterns, &Batch::from_offsets(&[], &[0, 0, 0]).unwrap());
    }
}
