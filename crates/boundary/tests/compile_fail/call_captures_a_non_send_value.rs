use std::rc::Rc;

use dragnet_boundary::Owner;

fn main() {}

fn capture(owner: &Owner<i32>, local: Rc<i32>) {
    let _ = owner.call(|value| *value += *local);
}
