//! placeholder
pub(super) struct Libhs;
pub(super) enum Failure {
    Wrong(String),
    Broken(String),
}
pub(super) fn run(_: &mut Libhs) -> Result<(), Failure> {
    Ok(())
}
