fn crosses<T: dragnet_boundary::Flat>(_: &[T]) {}

fn main() {
    crosses(&[std::ptr::null::<u8>()]);
}
