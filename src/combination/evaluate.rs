//! Evaluates combinations for one record after the other.
//!
//! Most combinations refer to few patterns, and most records match few of them. So the values of all
//! combinations for a record without a match are computed once, and for each other record only those
//! combinations are evaluated that refer to one of its patterns, directly or through other combinations.

use std::ops::Range;

/// One step of an expression in postfix order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Pushes whether this item holds: a pattern by its number, or a combination by the number of
    /// patterns plus its own.
    Item(u32),
    /// Replaces the last value by its opposite.
    Not,
    /// Replaces the last `operands` values by whether at least `least` of them hold.
    AtLeast { least: u32, operands: u32 },
}

/// All combinations of a set.
#[derive(Debug)]
pub(super) struct Program {
    patterns: usize,
    steps: Vec<Step>,
    /// The steps of each combination.
    expressions: Vec<Range<usize>>,
    /// For each item, the combinations that name it, in increasing order.
    dependents: Vec<Vec<u32>>,
    /// The values where no pattern matches.
    without_matches: Vec<bool>,
    /// The combinations that hold there, in increasing order.
    pub(super) holding_without_matches: Vec<u32>,
}

impl Program {
    /// `expressions` are ranges of `steps`. A combination may refer to those before it only.
    pub(super) fn new(
        patterns: usize,
        steps: Vec<Step>,
        expressions: Vec<Range<usize>>,
    ) -> Program {
        let items = patterns + expressions.len();
        let mut program = Program {
            patterns,
            steps,
            expressions,
            dependents: vec![Vec::new(); items],
            without_matches: Vec::new(),
            holding_without_matches: Vec::new(),
        };
        program.find_dependents();
        let mut values = program.values();
        for combination in 0..program.expressions.len() {
            values.evaluate(&program, combination);
        }
        program.without_matches = values.values.split_off(patterns);
        program.holding_without_matches = (0..)
            .zip(&program.without_matches)
            .filter(|(_, holds)| **holds)
            .map(|(number, _)| number)
            .collect();
        program
    }

    fn find_dependents(&mut self) {
        for (combination, range) in (0..).zip(&self.expressions) {
            for step in &self.steps[range.clone()] {
                let Step::Item(item) = *step else { continue };
                let dependents = &mut self.dependents[item as usize];
                if dependents.last() != Some(&combination) {
                    dependents.push(combination);
                }
            }
        }
    }

    pub(super) fn patterns(&self) -> usize {
        self.patterns
    }

    /// The values of a record without a match so far.
    pub(super) fn values(&self) -> Values {
        let mut values = vec![false; self.patterns + self.expressions.len()];
        values[self.patterns..][..self.without_matches.len()]
            .copy_from_slice(&self.without_matches);
        Values {
            values,
            matched: Vec::new(),
            affected: Vec::new(),
            is_affected: vec![false; self.expressions.len()],
            stack: Vec::new(),
        }
    }
}

/// The items that hold in the current record, and the memory of their evaluation.
#[derive(Debug)]
pub(super) struct Values {
    /// Of each pattern, then of each combination.
    values: Vec<bool>,
    /// The patterns that match in this record, each once.
    matched: Vec<u32>,
    /// The combinations that depend on one of them, directly or through other combinations.
    affected: Vec<u32>,
    /// Whether each combination is in `affected`.
    is_affected: Vec<bool>,
    stack: Vec<bool>,
}

impl Values {
    /// Notes that a pattern matches in this record. Patterns that the program does not know are
    /// ignored.
    pub(super) fn matched(&mut self, program: &Program, pattern: usize) {
        if pattern < program.patterns && !self.values[pattern] {
            self.values[pattern] = true;
            self.matched.push(pattern as u32);
        }
    }

    /// Passes every combination that holds in this record to `each`, in increasing order, until it
    /// returns false. Then the next record begins.
    pub(super) fn finish_record(&mut self, program: &Program, mut each: impl FnMut(u32) -> bool) {
        for index in 0..self.matched.len() {
            self.affect(&program.dependents[self.matched[index] as usize]);
        }
        let mut index = 0;
        while let Some(&combination) = self.affected.get(index) {
            self.affect(&program.dependents[program.patterns + combination as usize]);
            index += 1;
        }
        self.affected.sort_unstable();
        let affected = std::mem::take(&mut self.affected);
        for &combination in &affected {
            self.evaluate(program, combination as usize);
        }
        self.pass_on(program, &affected, &mut each);
        for &combination in &affected {
            let number = combination as usize;
            self.values[program.patterns + number] = program.without_matches[number];
            self.is_affected[number] = false;
        }
        self.affected = affected;
        self.clear();
    }

    /// Adds combinations to those that are evaluated for this record.
    fn affect(&mut self, combinations: &[u32]) {
        for &combination in combinations {
            if !std::mem::replace(&mut self.is_affected[combination as usize], true) {
                self.affected.push(combination);
            }
        }
    }

    /// Merges the combinations that hold without a match with those that were evaluated.
    fn pass_on(&self, program: &Program, affected: &[u32], each: &mut impl FnMut(u32) -> bool) {
        let mut unaffected = program
            .holding_without_matches
            .iter()
            .copied()
            .filter(|number| !self.is_affected[*number as usize])
            .peekable();
        let holds = |number: &u32| self.values[program.patterns + *number as usize];
        for number in affected.iter().copied().filter(holds) {
            while let Some(before) = unaffected.next_if(|other| *other < number) {
                if !each(before) {
                    return;
                }
            }
            if !each(number) {
                return;
            }
        }
        for rest in unaffected {
            if !each(rest) {
                return;
            }
        }
    }

    /// Forgets the matches of this record.
    pub(super) fn clear(&mut self) {
        for pattern in self.matched.drain(..) {
            self.values[pattern as usize] = false;
        }
        self.affected.clear();
    }

    fn evaluate(&mut self, program: &Program, combination: usize) {
        self.stack.clear();
        for step in &program.steps[program.expressions[combination].clone()] {
            match *step {
                Step::Item(item) => self.stack.push(self.values[item as usize]),
                Step::Not => {
                    if let Some(last) = self.stack.last_mut() {
                        *last = !*last;
                    }
                }
                Step::AtLeast { least, operands } => {
                    let rest = self.stack.len() - operands as usize;
                    let holding = self.stack.drain(rest..).filter(|holds| *holds).count();
                    self.stack.push(holding >= least as usize);
                }
            }
        }
        self.values[program.patterns + combination] = self.stack.pop().unwrap_or(false);
    }
}
