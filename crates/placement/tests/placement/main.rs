//! Scanning on threads of their own, from outside: gathering, errors, deadlines, and the end.

mod deadlines;
mod end;
mod errors;
mod gathering;
mod probe;
mod room;
mod shadow;
