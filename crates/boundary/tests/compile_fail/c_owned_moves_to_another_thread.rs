use dragnet_boundary::{COwned, Release};

fn main() {}

fn move_to_thread<F: Release<u64> + Send + 'static>(object: COwned<u64, F>) {
    std::thread::spawn(move || drop(object));
}
