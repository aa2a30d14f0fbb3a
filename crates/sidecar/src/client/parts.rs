//! Parts of batches on their way: sent, answered, and taken off the list.

use std::io;
use std::ops::ControlFlow;

use super::super::connection::{Block, Fault};
use super::super::control::SLOTS;
use super::super::region::{Layout, Region};
use super::{Each, KEPT, Part, Sidecar};
use dragnet::{Batch, ScanError};

impl Sidecar {
    /// Puts a part into memory and sends it, if there is a server; if there is none or it is lost,
    /// the part is sent to the next one.
    pub(super) fn send(&mut self, records: &Batch<'_>, base: u32, last: bool) {
        let taken = |number: &usize| self.parts.iter().any(|part| part.region == *number);
        let Some(number) = (0..SLOTS).find(|number| !taken(number)) else {
            return self.fail_newest(ScanError::Unavailable {
                reason: "more parts are on their way than may be".to_owned(),
            });
        };
        if let Err(error) = self.fill(number, records) {
            return self.fail_newest(ScanError::Unavailable {
                reason: format!("there is no memory for records: {error}"),
            });
        }
        let part = Part { region: number, base, tries: 0, wanted: true, last, handed: 0, taken: 0 };
        self.parts.push_back(part);
        if let (Some(connection), Some(region)) = (&mut self.connection, &self.regions[number])
            && let Err(fault) = connection.submit(number, region)
        {
            self.lose(fault);
        }
    }

    /// Puts records into the region of this number, which is replaced if it is too short, or
    /// much too long.
    pub(super) fn fill(&mut self, number: usize, records: &Batch<'_>) -> io::Result<()> {
        let (layout, len) = Layout::of(records);
        let place = &mut self.regions[number];
        let region = match place {
            Some(region) if region.suits(len) => region,
            _ => {
                // The old one first, so that there is never more than is needed.
                *place = None;
                self.generation = self.generation.wrapping_add(1);
                let most = self.connection.as_ref().map_or(len, |c| c.most as usize);
                place.insert(Region::new(len, most, self.generation)?)
            }
        };
        region.fill(records, layout);
        Ok(())
    }

    /// Sees the oldest part through: to its answer, or to a failure.
    pub(super) fn answer_oldest(&mut self) {
        // Nobody is there to break.
        let _ = self.hand_out_oldest(&mut None);
    }

    /// As [`answer_oldest`](Sidecar::answer_oldest), for a part of the batch that was begun last if
    /// there is someone to hand its matches to. They are not kept then. Returns whether that one
    /// broke, which ends the batch.
    pub(super) fn hand_out_oldest(&mut self, each: &mut Option<Each<'_>>) -> ControlFlow<()> {
        if self.parts.is_empty() {
            // There is always a part for a batch that is not done.
            debug_assert!(self.batches.iter().all(|batch| batch.outcome.is_some()));
            return ControlFlow::Continue(());
        }
        // Parts of other batches come before those of the last one.
        let unfinished = self.batches.iter().filter(|batch| batch.outcome.is_none()).count();
        let each = if unfinished <= 1 { each } else { &mut None };
        match self.try_oldest(each) {
            Ok(ControlFlow::Continue(outcome)) => {
                self.lost = 0;
                self.end_oldest(outcome);
            }
            Ok(ControlFlow::Break(())) => {
                self.stop_all(&Ok(()));
                return ControlFlow::Break(());
            }
            Err(Fault::Stopped) => self.stop_all(&Err(ScanError::Stopped)),
            Err(fault) => self.lose(fault),
        }
        ControlFlow::Continue(())
    }

    /// Waits for the answer to the oldest part.
    pub(super) fn try_oldest(
        &mut self,
        each: &mut Option<Each<'_>>,
    ) -> Result<ControlFlow<(), Result<(), ScanError>>, Fault> {
        self.found.clear();
        if self.connection.is_none() {
            self.reconnect()?;
        }
        let (Some(connection), Some(part)) = (&self.connection, self.parts.front_mut()) else {
            return Err(Fault::Broken("there is no server".to_owned()));
        };
        let Some(region) = &self.regions[part.region] else {
            return Err(Fault::Broken("the records are gone".to_owned()));
        };
        let stop = Some(&self.stop);
        let mut seen = 0;
        loop {
            let found = &mut self.found;
            let start = found.len();
            let block = connection.block(self.first, part.taken, region, stop, found)?;
            part.taken += u32::from(matches!(block, Block::More));
            let last = found.last().copied();
            if let Some(each) = each
                && part.wanted
            {
                let new = &mut found[start..];
                new.iter_mut().for_each(|m| *m = m.offset_record(part.base));
                // What another server found before it was lost has been handed out.
                let fresh = &new[new.len().min(part.handed.saturating_sub(seen))..];
                seen += new.len();
                part.handed = part.handed.max(seen);
                if !fresh.is_empty() && each(fresh).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            if each.is_some() || !part.wanted {
                // The next block is behind the last match of this one, or the server makes them up
                // without end.
                found.clear();
                found.extend(last.filter(|_| matches!(block, Block::More)));
            }
            match block {
                Block::More => {}
                Block::Last => return Ok(ControlFlow::Continue(Ok(()))),
                Block::Failed(error) => return Ok(ControlFlow::Continue(Err(error))),
                Block::Stopped if part.wanted => {
                    return Err(Fault::Broken("the server stopped of itself".to_owned()));
                }
                Block::Stopped => return Ok(ControlFlow::Continue(Err(ScanError::Stopped))),
            }
        }
    }

    /// Takes the oldest part off the list, with what came of it.
    pub(super) fn end_oldest(&mut self, outcome: Result<(), ScanError>) {
        let Some(part) = self.parts.pop_front() else { return };
        self.first = self.first.wrapping_add(1);
        if let Some(connection) = &mut self.connection {
            connection.forget(self.first);
        }
        if !part.wanted {
            return;
        }
        // Parts are answered in order, so it is of the first batch that is not done.
        let Some(batch) = self.batches.iter_mut().find(|batch| batch.outcome.is_none()) else {
            return;
        };
        match outcome {
            Ok(()) => {
                batch.matches.extend(self.found.iter().map(|m| m.offset_record(part.base)));
                if part.last {
                    batch.outcome = Some(Ok(()));
                }
            }
            Err(error) => {
                batch.outcome = Some(Err(error));
                // The other parts of the same batch, up to its last one, if that was sent.
                if !part.last {
                    for other in &mut self.parts {
                        other.wanted = false;
                        if other.last {
                            break;
                        }
                    }
                }
            }
        }
        self.found.clear();
        self.found.shrink_to(KEPT);
    }

    /// Ends all batches that are not done. The parts that the server still has are waited for when
    /// their memory is needed.
    pub(super) fn stop_all(&mut self, outcome: &Result<(), ScanError>) {
        for batch in &mut self.batches {
            batch.outcome.get_or_insert(outcome.clone());
        }
        for part in &mut self.parts {
            part.wanted = false;
        }
        match &mut self.connection {
            Some(connection) => {
                let next = connection.next();
                connection.cancel(next);
            }
            // No server has them, so there is nothing to wait for.
            None => self.parts.clear(),
        }
    }

    /// Fails the batch that was begun last, of which a part can't be sent.
    pub(super) fn fail_newest(&mut self, error: ScanError) {
        // Its parts are the last ones, behind the last part of the batch before it.
        for part in self.parts.iter_mut().rev().take_while(|part| !part.last) {
            part.wanted = false;
        }
        if let Some(batch) = self.batches.back_mut() {
            batch.outcome = Some(Err(error));
        }
    }
}
