use dragnet::{Batch, Matches, Scan, Scanner};

fn main() {}

fn share(scanner: &mut Scanner, batch: &Batch<'_>) {
    std::thread::scope(|scope| {
        scope.spawn(|| scanner.scan(batch, &mut Matches::new()));
        scope.spawn(|| scanner.scan(batch, &mut Matches::new()));
    });
}
