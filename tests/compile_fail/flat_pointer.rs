fn crosses<T: dragnet::boundary::Flat>(_: &[T]) {}

fn main() {
    crosses(&[std::ptr::null::<u8>()]);
}
