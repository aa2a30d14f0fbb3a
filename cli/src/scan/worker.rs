//! One thread of a search.

use std::error::Error;
use std::ops::ControlFlow;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError, mpsc};

use dragnet::{Batch, Matches, Scan, Scanner};

use super::Search;
use super::order::Piece;
use crate::input::{Bundle, Places, Work};
use crate::status::Status;

/// A thread's share in a search, with the memory that it uses again and again.
pub(super) struct Worker<'a> {
    search: &'a Search<'a>,
    /// Made when the first work comes.
    scanner: Option<Scanner>,
    offsets: Vec<u32>,
    matches: Matches,
}

impl<'a> Worker<'a> {
    pub(super) fn new(search: &'a Search<'a>) -> Worker<'a> {
        Worker { search, scanner: None, offsets: Vec::new(), matches: Matches::new() }
    }

    /// Works until there is nothing left to do.
    pub(super) fn run(mut self, work: &Mutex<mpsc::Receiver<(u64, Work)>>) {
        loop {
            let next = work.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok((number, work)) = next else { return };
            let mut piece = Piece::new(&self.search.output, number);
            let searched = self.search(work, &mut piece);
            piece.finish(searched);
        }
    }

    /// Does one piece of work and returns how many bytes it had.
    fn search(&mut self, work: Work, piece: &mut Piece<'_>) -> u64 {
        let mut searched = 0;
        let mut unreadable = Vec::new();
        let result = Bundle::default().load(
            work,
            |message| unreadable.push(message),
            |bundle| {
                searched += bundle.bytes().len() as u64;
                self.search_bundle(bundle, piece)
            },
        );
        if let Err(error) = result {
            unreadable.push(error.to_string());
        }
        if !unreadable.is_empty() {
            self.search.failed.store(true, Ordering::Relaxed);
        }
        unreadable.into_iter().for_each(|message| piece.message(message));
        searched
    }

    fn search_bundle(
        &mut self,
        bundle: &Bundle,
        piece: &mut Piece<'_>,
    ) -> Result<(), Box<dyn Error>> {
        let scanner = match &mut self.scanner {
            Some(scanner) => scanner,
            none => none.insert(self.search.engine.scanner()?),
        };
        // The input is cut so that every bundle fits.
        let batch = Batch::lines(bundle.bytes(), &mut self.offsets)?;
        let printer = self.search.printer;
        if printer.counts() {
            // Not all at once: a long line can have more matches than fit in memory.
            let mut places = Places::new(bundle, batch);
            let mut found = false;
            let _ = scanner.scan_with(&batch, &mut |block| {
                found = true;
                for of_record in block.chunk_by(|a, b| a.record() == b.record()) {
                    if let Some((part, _)) = places.of(of_record[0].record()) {
                        part.source.matches.fetch_add(of_record.len() as u64, Ordering::Relaxed);
                    }
                }
                ControlFlow::Continue(())
            })?;
            if found {
                self.search.found.store(true, Ordering::Relaxed);
            }
            for part in bundle.parts().iter().filter(|part| part.last) {
                if !part.whole {
                    // Other threads may still be counting in this file's earlier blocks.
                    piece.wait_for_turn();
                }
                printer.count(piece.text(), &part.source);
            }
        } else {
            scanner.scan(&batch, &mut self.matches)?;
            if !self.matches.is_empty() {
                self.search.found.store(true, Ordering::Relaxed);
            }
            for hit in bundle.hits(&batch, &self.matches) {
                printer.hit(piece.text(), &hit);
                piece.relieve();
            }
        }
        Ok(())
    }
}

impl Drop for Worker<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // A bug, which has been reported. The output that is lost would be waited for by all
            // other threads, for ever.
            std::process::exit(Status::Failed.code().into());
        }
    }
}
